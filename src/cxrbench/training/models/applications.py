"""Xception (Chollet 2017) and Inception V3 (Szegedy et al. 2016) as Keras ships them, with our output layer."""

import keras

SMALLEST_PX = {"xception": 71, "inception_v3": 75}


def build(
    name: str, image_size_px: int, units: int, activation: str, imagenet: bool, padding_px: int | None
) -> keras.Model:
    """Input float32 [n, image_size_px, image_size_px, 3] in 0..1, moved to the -1..1 both were made for."""
    kind = {"xception": keras.applications.Xception, "inception_v3": keras.applications.InceptionV3}[name]
    shape = (image_size_px, image_size_px, 3)
    base = kind(include_top=False, weights="imagenet" if imagenet else None, input_shape=shape, pooling="avg")
    image = keras.Input(shape)
    features = base(keras.layers.Rescaling(2, offset=-1)(image))
    return keras.Model(image, keras.layers.Dense(units, activation=activation, dtype="float32")(features), name=name)
