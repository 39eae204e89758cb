"""The small CNN of the COVID study (Lee), whose padding is one of the three things the paper changed.

The paper shows no layer table; that the given network is a stack of padded 3x3 convolutions with
maxima between is our assumption, and so are its widths (data/published/covid-cnn.yaml).
"""

import keras
from keras import layers

from cxrbench.training.form import Form

SMALLEST_PX = 32


def build(form: Form) -> keras.Model:
    """Input float32 [n, size, size, 3] in 0..1; ``form.padding_px`` zeros go around each map."""
    stack: list[keras.layers.Layer] = [keras.Input((form.image_size_px, form.image_size_px, 3))]
    for maps in (16, 32, 64):
        stack += [
            layers.ZeroPadding2D(form.padding_px or 0),
            layers.Conv2D(maps, 3, activation="relu"),
            layers.MaxPooling2D(2),
        ]
    stack += [
        layers.Flatten(),
        layers.Dense(128, activation="relu"),
        form.output(),
    ]
    return keras.Sequential(stack, name=form.name)
