"""Models that a test can reckon with: no network, but a grey level for a score."""

import numpy as np

from cxrbench.evaluation.usage import Usage
from cxrbench.prediction.model import Model
from cxrbench.views.network import Network
from cxrbench.views.stored import ViewModel

SIZE, VIEW_SIZE = 8, 6


def model(view=True, hide="nothing", band=(0.4, 0.6)):
    usage = Usage("binary_crossentropy", SIZE, "squash", hide, "normal", "covid", 0.5, band)
    network = Network((), usage.loss, SIZE, "")
    looks = ViewModel(None, "binary_crossentropy", VIEW_SIZE, "squash", (0.2, 0.8), "run", {}, "")
    return Model(network, usage, looks if view else None, "a model")


def brightness(images, of=0):
    """Stands in for the networks: the mean grey, which grey squares of 255 and 0 make 1 and 0."""
    assert images.dtype == np.uint8
    assert images.shape[1:] == ((VIEW_SIZE, VIEW_SIZE, 1) if of else (SIZE, SIZE, 1))
    return images.mean(axis=(1, 2, 3)) / 255
