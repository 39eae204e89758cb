"""Networks that Keras ships, with our output layer."""

from collections.abc import Callable

import keras


def build(
    kind: Callable[..., keras.Model],
    name: str,
    image_size_px: int,
    units: int,
    activation: str,
    imagenet: bool,
    padding_px: int | None,
) -> keras.Model:
    """``kind``, one of keras.applications whose input is -1..1, between the step from 0..1 and our output layer.

    Input float32 [n, image_size_px, image_size_px, 3] in 0..1, output [n, units].
    """
    shape = (image_size_px, image_size_px, 3)
    base = kind(include_top=False, weights="imagenet" if imagenet else None, input_shape=shape, pooling="avg")
    image = keras.Input(shape)
    features = base(keras.layers.Rescaling(2, offset=-1)(image))
    return keras.Model(image, keras.layers.Dense(units, activation=activation, dtype="float32")(features), name=name)
