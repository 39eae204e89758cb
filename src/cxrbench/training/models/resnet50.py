"""ResNet50 (He et al. 2016) as Keras ships it."""

import keras

from cxrbench.training.form import Form

SMALLEST_PX = 32
IMAGENET = True
# Its weights for ImageNet take images of 0..255 as blue, green, red, less these means of ImageNet's images.
MEANS_OF_RGB = (123.68, 116.779, 103.939)


def build(form: Form) -> keras.Model:
    """Input float32 [n, size, size, 3] in 0..1, output [n, units]."""
    shape = (form.image_size_px, form.image_size_px, 3)
    weights = "imagenet" if form.imagenet else None
    base = keras.applications.ResNet50(include_top=False, weights=weights, input_shape=shape, pooling="avg")
    image = keras.Input(shape)
    centred = keras.layers.Rescaling(255, offset=[-mean for mean in MEANS_OF_RGB], name="centred")(image)
    features = base(keras.ops.flip(centred, axis=-1))
    return keras.Model(image, form.output()(features), name=form.name)
