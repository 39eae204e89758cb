"""Networks that Keras ships, with our output layer."""

from collections.abc import Callable

import keras

from cxrbench.training.form import Form


def build(kind: Callable[..., keras.Model], form: Form) -> keras.Model:
    """``kind``, one of keras.applications whose input is -1..1, between the step from 0..1 and our output layer.

    Input float32 [n, size, size, 3] in 0..1, output [n, units].
    """
    shape = (form.image_size_px, form.image_size_px, 3)
    base = kind(include_top=False, weights="imagenet" if form.imagenet else None, input_shape=shape, pooling="avg")
    image = keras.Input(shape)
    features = base(keras.layers.Rescaling(2, offset=-1)(image))
    return keras.Model(image, form.output()(features), name=form.name)
