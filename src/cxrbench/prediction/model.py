"""What is needed to use a trained network, wherever it comes from; as a registered model it is a folder."""

import dataclasses
from pathlib import Path

from cxrbench.evaluation.usage import Usage, read_usage
from cxrbench.views import stored
from cxrbench.views.network import Network
from cxrbench.views.stored import ViewModel

NETWORK, VIEW = 0, 1  # their places among ``Model.networks``


@dataclasses.dataclass(frozen=True)
class Model:
    """A network of a study, how it is used, and the network that looks first whether an image is frontal."""

    network: Network
    usage: Usage
    view: ViewModel | None  # None: the view is not checked
    name: str  # which network it is, in words

    @property
    def networks(self) -> list[Network]:
        return [self.network] if self.view is None else [self.network, self.view.network]


def from_folder(folder: Path) -> Model:
    """The model in the folder that tracking/model_folder.py wrote; CxrbenchError where a file is missing or damaged."""
    usage = read_usage(folder / "usage.json")
    view = folder / "view.keras"
    network = Network((folder / "model.keras",), usage.loss, usage.image_size, "log it anew with 'cxrbench track'")
    return Model(network, usage, stored.load(view) if view.is_file() else None, "registered model")
