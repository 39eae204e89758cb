"""A network's file that somebody else made runs none of its own code."""

import json
import zipfile
from pathlib import Path

import keras
import pytest

from cxrbench.base.errors import CxrbenchError
from cxrbench.training.stored_network import load_network
from cxrbench.views import network

# A pickle whose loading calls os.system.
PICKLE = "gASVHwAAAAAAAACMBXBvc2l4lIwGc3lzdGVtlJOUjAR0cnVllIWUUpQu"


@pytest.fixture(scope="module")
def harmless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "model.keras"
    layers = [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(1)]
    keras.Sequential(layers).save(path)
    return path


def layer(module: str, name: str, /, **config: object) -> dict[str, object]:
    return {"module": module, "class_name": name, "registered_name": None, "config": config}


def hostile(harmless: Path, folder: Path, added: dict[str, object]) -> Path:
    """The file of a network that has one more layer, as its description says it."""
    path = folder / "hostile.keras"
    with zipfile.ZipFile(harmless) as good, zipfile.ZipFile(path, "w") as bad:
        for name in good.namelist():
            content = good.read(name)
            if name == "config.json":
                described = json.loads(content)
                described["config"]["layers"].append(added)
                content = json.dumps(described).encode()
            bad.writestr(name, content)
    return path


@pytest.mark.parametrize(
    "kind", ["program", "shell", "pickle", "graph", "download", "switch", "file read", "function of the process"]
)
def test_a_file_that_brings_code_is_refused_and_the_code_does_not_run(
    harmless: Path, tmp_path: Path, kind: str
) -> None:
    mark = tmp_path / "ran"
    added = {
        "program": layer("subprocess", "Popen", args=["touch", str(mark)]),
        "shell": layer("os", "system", command=f"touch {mark}"),
        "pickle": layer("keras.layers", "TorchModuleWrapper", module=PICKLE, name="t"),
        "graph": layer("keras.layers", "TFSMLayer", filepath=str(tmp_path), name="t"),
        "download": layer("keras.utils", "get_file", fname="f", origin=harmless.as_uri(), cache_dir=str(mark)),
        "switch": layer("keras.config", "enable_unsafe_deserialization"),
        "file read": layer("keras.layers", "StringLookup", vocabulary=str(harmless), name="s"),
        "function of the process": layer("builtins", "open", file=str(mark), mode="w"),
    }[kind]
    # Keras refuses it with ValueError or TypeError; the pickle, where PyTorch is not installed, with ImportError.
    with pytest.raises((ValueError, TypeError, ImportError)):
        load_network(hostile(harmless, tmp_path, added))
    assert not mark.exists()


@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_a_lambda_is_refused_and_by_the_view_command_in_one_sentence(tmp_path: Path, ending: str) -> None:
    mark = tmp_path / "ran"

    def write(pixels):
        mark.touch()
        return pixels

    image = keras.Input((8, 8, 1))
    path = tmp_path / f"lambda.{ending}"
    keras.Model(image, keras.layers.Lambda(lambda pixels: write(pixels), output_shape=(8, 8, 1))(image)).save(path)
    mark.unlink(missing_ok=True)
    with pytest.raises(ValueError, match="Lambda"):
        load_network(path)
    with pytest.raises(CxrbenchError, match="cannot be loaded by Keras"):
        network.load(network.Network((path,), "binary_crossentropy", 8, "train it again"))
    assert not mark.exists()
