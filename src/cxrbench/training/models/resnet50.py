"""ResNet50 (He et al. 2016) as Keras ships it."""

import keras

SMALLEST_PX = 32
# Its weights for ImageNet take images of 0..255 as blue, green, red, less these means of ImageNet's images.
MEANS_OF_RGB = (123.68, 116.779, 103.939)


def build(
    name: str, image_size_px: int, units: int, activation: str, imagenet: bool, padding_px: int | None
) -> keras.Model:
    """Input float32 [n, image_size_px, image_size_px, 3] in 0..1, output [n, units]."""
    shape = (image_size_px, image_size_px, 3)
    weights = "imagenet" if imagenet else None
    base = keras.applications.ResNet50(include_top=False, weights=weights, input_shape=shape, pooling="avg")
    image = keras.Input(shape)
    centred = keras.layers.Rescaling(255, offset=[-mean for mean in MEANS_OF_RGB], name="centred")(image)
    features = base(keras.ops.flip(centred, axis=-1))
    return keras.Model(image, keras.layers.Dense(units, activation=activation, dtype="float32")(features), name=name)
