"""Random changes of training images, on the fly; each image is changed in its own way.

The module of an augmentation has its name and is found by it (``base.plugins``): there is no table of all, so that a
new augmentation's file changes no other augmentation's runs. It offers

    change(images, draws: Draws)    float32 [n, h, w, 1] in 0..255 -> the same, each image changed by its own draws
"""

import keras
from keras import KerasTensor, ops

from cxrbench.base import plugins
from cxrbench.training.draws import Draws


def layer(name: str, seed: int) -> "RandomChange | None":
    """The layer of setting ``augment``; None for 'none'.

    Takes grey images of any number type, [n, h, w, 1] in 0..255, and gives float32 of that shape and range. Layers
    of one seed give the same changes, call after call. Outside training images stay as they are.
    """
    return None if name == "none" else RandomChange(name, seed)


class RandomChange(keras.layers.Layer):
    """Changes each image of a batch in its own way, in training alone."""

    def __init__(self, name: str, seed: int) -> None:
        super().__init__(name=f"augment_{name}", dtype="float32")
        self.change = plugins.load("augmentation", name).change
        self.generator = keras.random.SeedGenerator(seed)

    def call(self, images: KerasTensor, training: bool = False) -> KerasTensor:
        images = ops.cast(images, "float32")
        return self.change(images, Draws(ops.shape(images)[0], self.generator)) if training else images
