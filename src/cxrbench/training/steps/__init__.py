"""The steps of training on each backend of Keras, many in one call.

``keras.Model.fit`` prepares and hands over one batch at a time; with a small network that takes longer than the step
itself (benchmarks/step.py). Here one call takes a stack of images and does one step a batch, as one compiled loop.
"""

import importlib
from typing import TYPE_CHECKING, Any, Protocol

import keras
import numpy as np

if TYPE_CHECKING:
    from cxrbench.training.trainer import Parts


class Steps(Protocol):
    """What a backend's module offers as its class ``BackendSteps``, made from a trainer's ``Parts``."""

    def __init__(self, parts: "Parts") -> None: ...

    def train(self, images: np.ndarray, labels: np.ndarray, batch_size: int) -> tuple[Any, Any]:
        """One step for each batch of ``images``, in their order; the last batch may be smaller.

        images: uint8 [n, h, w, 1]. labels: [n, ...] in the form of the loss. Gives the loss, each image's before
        the step that it is part of, summed over images, and the number of right answers: scalars of the backend,
        which may still be computing them.
        """

    def predict(self, images: np.ndarray) -> np.ndarray:
        """The network's output, float32 [n, units], for a batch of any size."""


def steps(parts: "Parts") -> Steps:
    """The steps on the backend that Keras runs on."""
    module = importlib.import_module(f"cxrbench.training.steps.on_{keras.backend.backend()}")
    chosen: Steps = module.BackendSteps(parts)
    return chosen
