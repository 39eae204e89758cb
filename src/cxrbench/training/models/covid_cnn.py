"""The small CNN of the COVID study (Lee), whose padding is one of the three things the paper changed.

The paper shows no layer table; that the given network is a stack of padded 3x3 convolutions with
maxima between is our assumption, and so are its widths (data/published/covid-cnn.yaml).
"""

import keras
from keras import layers

from cxrbench.base.errors import CxrbenchError

SMALLEST_PX = 32


def build(
    name: str, image_size_px: int, units: int, activation: str, imagenet: bool, padding_px: int | None
) -> keras.Model:
    """Input float32 [n, image_size_px, image_size_px, 3] in 0..1; ``padding_px`` zeros go around each map."""
    if imagenet:
        raise CxrbenchError(f"there are no ImageNet weights of model {name}; set weights to null")
    stack: list[keras.layers.Layer] = [keras.Input((image_size_px, image_size_px, 3))]
    for maps in (16, 32, 64):
        stack += [
            layers.ZeroPadding2D(padding_px or 0),
            layers.Conv2D(maps, 3, activation="relu"),
            layers.MaxPooling2D(2),
        ]
    stack += [
        layers.Flatten(),
        layers.Dense(128, activation="relu"),
        layers.Dense(units, activation=activation, dtype="float32"),
    ]
    return keras.Sequential(stack, name=name)
