"""Networks whose score is the image's mean grey, so that a test knows what they say; and the model folder of them."""

from pathlib import Path

from cxrbench.evaluation.usage import Usage
from cxrbench.tracking.logged import Network
from cxrbench.tracking.model_folder import write_model_folder
from cxrbench.views import stored

SIZE, VIEW_SIZE = 32, 24
ENVIRONMENT = {"keras": "3.15.1", "backend": "tensorflow", "tensorflow": "2.21.0"}


def save_brightness(path: Path, size: int, gain: float = 1.0) -> None:
    """A network that says ``gain`` times the mean grey, 255 being 1."""
    import keras

    network = keras.Sequential(
        [
            keras.Input((size, size, 1)),
            keras.layers.Rescaling(gain / 255),
            keras.layers.GlobalAveragePooling2D(),
        ]
    )
    network.save(path)


def save_view(folder: Path) -> stored.ViewModel:
    """A view network: bright is frontal, dark lateral; of its kind that the pipeline leaves."""
    save_brightness(folder / "trained.keras", VIEW_SIZE, 2.0)
    model = stored.ViewModel(folder / "model.keras", "binary_crossentropy", VIEW_SIZE, "squash", (0.2, 0.4), "run", {})
    return stored.save(folder / "trained.keras", model)


def write_folder(folder: Path, target: Path) -> None:
    """A registered model, ``target``: from 0.6 on covid, below 0.4 normal, between no label; below 0.2 not frontal."""
    view = save_view(folder)
    save_brightness(folder / "network.keras", SIZE)
    usage = Usage("binary_crossentropy", SIZE, "squash", "nothing", "normal", "covid", 0.5, (0.4, 0.6))
    network = Network(folder / "network.keras", {}, ENVIRONMENT, usage, view.path)
    write_model_folder(target, network, "0" * 32, f"m-{'0' * 32}")
