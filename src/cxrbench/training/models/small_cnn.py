"""The network that Choe and Jo (2020) tell frontal from lateral with: 105,761 parameters at 64x64.

Four 3x3 convolutions without padding (16, 32, 64, 128 maps), a 2x2 maximum after the first three, a 4x4
mean after the last, two dense layers. The layer table of the paper is asserted in the tests.
"""

import keras
from keras import layers

from cxrbench.training.form import Form

SMALLEST_PX = 62  # the 4x4 mean needs a 4x4 map


def build(form: Form) -> keras.Model:
    """Input float32 [n, size, size, 3] in 0..1, output [n, units]."""
    return keras.Sequential(
        [
            keras.Input((form.image_size_px, form.image_size_px, 3)),
            layers.Conv2D(16, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(128, 3, activation="relu"),
            layers.AveragePooling2D(4),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            form.output(),
        ],
        name=form.name,
    )
