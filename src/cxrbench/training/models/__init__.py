"""Architectures by name; each is an uncompiled keras.Model of RGB or grey images of float32 in 0..1.

The module of a network has its name and is found by it (``base.plugins``): there is no table of all, so that a new
network's file changes no other network's runs. It offers

    build(form: Form) -> keras.Model    float32 [n, size, size, channels] in 0..1 -> form.output(); channels 3 or 1
    SMALLEST_PX: int                    the smallest image that it takes; 1 where it says nothing
    IMAGENET: bool                      whether ``build`` can start from ImageNet's weights; no where it says nothing
"""

import keras

from cxrbench.base import plugins
from cxrbench.base.errors import CxrbenchError
from cxrbench.training.form import Form


def build(
    name: str, image_size_px: int, units: int, activation: str, weights: str | None, padding_px: int | None
) -> keras.Model:
    """The network ``name`` on float32 input [n, image_size_px, image_size_px, channels] in 0..1, of 3 channels or of 1.

    ``units`` and ``activation`` make the output layer, as the loss wants it. ``weights`` is None (random),
    'imagenet' or the path of a .weights.h5 file. Raises CxrbenchError where the image is too small for the
    network or the weights can't be loaded.
    """
    module = plugins.load("model", name)
    smallest_px = getattr(module, "SMALLEST_PX", 1)
    if image_size_px < smallest_px:
        raise CxrbenchError(
            f"model {name} needs images of at least {smallest_px} px, image_size is {image_size_px}; raise image_size"
        )
    imagenet = weights == "imagenet"
    if imagenet and not getattr(module, "IMAGENET", False):
        raise CxrbenchError(f"there are no ImageNet weights of model {name}; set weights to null")
    model: keras.Model = module.build(Form(name, image_size_px, units, activation, imagenet, padding_px))
    if weights and not imagenet:
        try:
            model.load_weights(weights)
        except (OSError, ValueError) as error:
            raise CxrbenchError(f"weights {weights} do not fit model {name} ({str(error).splitlines()[0]})") from None
    return model


def on_grey(network: keras.Model) -> keras.Model:
    """``network`` behind the step from grey pixels to its input: [n, h, w, 1] of 0..255 -> grey or RGB of 0..1.

    Runs train and are stored in this form, so that a stored model takes radiographs as they are decoded.
    """
    height, width, channels = network.input_shape[1:]
    grey = keras.Input((height, width, 1), name="grey")
    unit = keras.layers.Rescaling(1 / 255, name="to_unit_range")(grey)
    shown = unit if channels == 1 else keras.layers.Concatenate(name="to_rgb")([unit] * channels)
    return keras.Model(grey, network(shown), name=f"{network.name}_on_grey")
