"""The networks are the papers', and their names are the ones that settings allow."""

import importlib
import pkgutil

import numpy as np
import pytest

from cxrbench.base.errors import CxrbenchError
from cxrbench.config.setting import MODELS
from cxrbench.training import models

# Choe and Jo (2020), the paper's table: layer, output shape, parameters
PAPER_TABLE = [
    ("Conv2D", (62, 62, 16), 448),
    ("MaxPooling2D", (31, 31, 16), 0),
    ("Conv2D", (29, 29, 32), 4640),
    ("MaxPooling2D", (14, 14, 32), 0),
    ("Conv2D", (12, 12, 64), 18496),
    ("MaxPooling2D", (6, 6, 64), 0),
    ("Conv2D", (4, 4, 128), 73856),
    ("AveragePooling2D", (1, 1, 128), 0),
    ("Flatten", (128,), 0),
    ("Dense", (64,), 8256),
    ("Dense", (1,), 65),
]


def test_the_view_network_is_the_papers_layer_table():
    network = models.build("small_cnn", 64, 1, "sigmoid", None, None)
    table = [(type(layer).__name__, layer.output.shape[1:], layer.count_params()) for layer in network.layers]
    assert table == PAPER_TABLE
    assert network.count_params() == 105_761
    assert [layer.activation.__name__ for layer in network.layers if hasattr(layer, "activation")] == [
        "relu", "relu", "relu", "relu", "relu", "sigmoid",
    ]  # fmt: skip


def test_the_quick_network_is_grey_and_a_quarter_of_the_view_networks_size():
    network = models.build("quick_cnn", 64, 1, "sigmoid", None, None)
    assert network.input_shape == (None, 64, 64, 1)
    assert network.count_params() == 24_577


def test_resnet50_sees_an_image_as_its_imagenet_weights_were_trained_also_when_it_was_stored(tmp_path):
    import keras

    network = models.build("resnet50", 32, 1, "sigmoid", None, None)
    network.save(tmp_path / "stored.keras")
    image = np.random.default_rng(0).random((2, 32, 32, 3)).astype("float32")
    prepared = keras.applications.resnet50.preprocess_input(255 * image)
    wanted = network.layers[-1](network.get_layer("resnet50")(prepared, training=False))
    for one in (network, keras.models.load_model(tmp_path / "stored.keras")):
        np.testing.assert_allclose(one.predict(image, verbose=0), wanted, atol=1e-5)


@pytest.mark.parametrize("name", ["xception", "inception_v3"])
def test_a_network_with_imagenet_weights_sees_an_image_as_they_were_trained(name):
    import keras

    network = models.build(name, 75, 1, "sigmoid", None, None)
    prepare = getattr(keras.applications, name).preprocess_input
    image = np.random.default_rng(0).random((2, 75, 75, 3)).astype("float32")
    (first,) = (layer for layer in network.layers if isinstance(layer, keras.layers.Rescaling))
    np.testing.assert_allclose(first(image), prepare(255 * image), atol=1e-5)
    assert first.output is network.get_layer(name)._inbound_nodes[0].input_tensors[0]


def test_settings_allow_exactly_the_models_there_are():
    names = [module.name for module in pkgutil.iter_modules(models.__path__)]
    assert sorted(n for n in names if hasattr(importlib.import_module(f"{models.__name__}.{n}"), "SMALLEST_PX")) == (
        sorted(MODELS)
    )


@pytest.mark.parametrize("name", MODELS)
def test_a_model_is_named_as_its_module_and_takes_images_of_its_smallest_size(name):
    smallest_px = importlib.import_module(f"{models.__name__}.{name}").SMALLEST_PX
    network = models.build(name, smallest_px, 2, "softmax", None, 1 if name == "covid_cnn" else None)
    assert network.name == name
    assert network.output_shape == (None, 2)
    with pytest.raises(CxrbenchError, match=f"{smallest_px} px, image_size is {smallest_px - 1}"):
        models.build(name, smallest_px - 1, 2, "softmax", None, 1 if name == "covid_cnn" else None)


def test_padding_alone_changes_the_covid_networks_maps():
    narrow, wide = (models.build("covid_cnn", 64, 1, "sigmoid", None, padding) for padding in (1, 2))
    shapes = [[layer.output.shape[1] for layer in n.layers if type(layer).__name__ == "Conv2D"] for n in (narrow, wide)]
    assert shapes == [[64, 32, 16], [66, 35, 19]]


def test_an_image_too_small_for_a_network_is_an_error_with_both_sizes():
    with pytest.raises(CxrbenchError, match=r"xception needs images of at least 71 px, image_size is 64"):
        models.build("xception", 64, 1, "sigmoid", None, None)


def test_weights_that_do_not_fit_are_an_error_in_words(tmp_path):
    other = models.build("small_cnn", 64, 2, "softmax", None, None)
    other.save_weights(tmp_path / "two.weights.h5")
    with pytest.raises(CxrbenchError, match="do not fit model small_cnn"):
        models.build("small_cnn", 64, 1, "sigmoid", str(tmp_path / "two.weights.h5"), None)
    with pytest.raises(CxrbenchError, match="no ImageNet weights of model small_cnn"):
        models.build("small_cnn", 64, 1, "sigmoid", "imagenet", None)


@pytest.mark.parametrize(("name", "channels"), [("small_cnn", 3), ("quick_cnn", 1)])
def test_a_stored_model_takes_grey_pixels_as_they_are_decoded(tmp_path, name, channels):
    import keras

    network = models.build(name, 64, 1, "sigmoid", None, None)
    model = models.on_grey(network)
    grey = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 1), dtype="uint8")
    unit = np.repeat(grey / 255, channels, axis=3).astype("float32")
    np.testing.assert_allclose(model.predict(grey, verbose=0), network.predict(unit, verbose=0), atol=1e-6)
    model.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    np.testing.assert_allclose(again.predict(grey, verbose=0), model.predict(grey, verbose=0), atol=1e-6)
