"""The attention is where it must be by hand-set weights, and every network of the settings has one."""

import keras
import numpy as np
import pytest

from cxrbench.attention import gradcam, lungs
from cxrbench.base.errors import CxrbenchError
from cxrbench.training import models

FORMS = [  # model, size, padding, cells of the attention
    ("quick_cnn", 32, None, 4),
    ("small_cnn", 64, None, 4),
    ("small_cnn", 128, None, 12),
    ("covid_cnn", 64, 2, 9),
    ("resnet50", 64, None, 4),
    ("xception", 96, None, 6),
    ("inception_v3", 96, None, 4),
]
SIZE_PX = 32
REGION = np.s_[10:18, 8:20]  # inside the lungs' box


def images(n=3, size_px=SIZE_PX):
    return np.random.default_rng(0).integers(1, 256, (n, size_px, size_px, 1)).astype("uint8")


def looking_at(region, weight=2.0, activation="sigmoid"):
    """A network whose output is ``weight`` times the mean grey inside ``region``, which it sees in one feature of 1 px.

    A second feature, with the mean grey of the whole image, has no weight.
    """
    mask = np.zeros((SIZE_PX, SIZE_PX, 1), "float32")
    mask[region] = 1
    grey = keras.Input((SIZE_PX, SIZE_PX, 1))
    both = keras.layers.Concatenate()([keras.layers.Rescaling(mask)(grey), grey])
    features = keras.layers.Conv2D(2, 1, use_bias=False)
    units = 1 if activation == "sigmoid" else 2
    head = keras.layers.Dense(units, activation=activation, use_bias=False)
    network = keras.Model(grey, head(keras.layers.GlobalAveragePooling2D()(features(both))))
    features.set_weights([np.eye(2, dtype="float32")[None, None] / 255])
    weights = np.zeros((2, units), "float32")
    weights[0, units - 1] = weight
    head.set_weights([weights])
    return network


def test_a_network_that_depends_on_one_region_has_all_its_attention_there_and_by_its_formula():
    shown = images()
    maps = gradcam.attention(looking_at(REGION), shown, np.ones(3, int))
    expected = np.zeros(maps.shape)
    expected[:, *REGION] = 2 / SIZE_PX**2 * shown[:, *REGION, 0] / 255  # gradient of the mean, times the feature
    np.testing.assert_allclose(maps, expected, rtol=1e-5)
    assert [lungs.share(one, SIZE_PX) for one in maps] == [1, 1, 1]


def test_a_region_beside_the_lungs_has_no_share_inside_them():
    maps = gradcam.attention(looking_at(np.s_[29:, :]), images(), np.ones(3, int))
    assert [lungs.share(one, SIZE_PX) for one in maps] == [0, 0, 0]


def test_what_speaks_against_the_called_class_is_no_attention():
    maps = gradcam.attention(looking_at(REGION), images(), np.array([1, 0, 1]))
    assert [one.any() for one in maps] == [True, False, True]
    maps = gradcam.attention(looking_at(REGION, weight=-2.0), images(), np.array([1, 0, 1]))
    assert [one.any() for one in maps] == [False, True, False]


def test_two_outputs_mean_what_one_means():
    called = np.array([1, 0, 1])
    one, two = (gradcam.attention(looking_at(REGION, -2.0, form), images(), called) for form in ("sigmoid", "softmax"))
    np.testing.assert_allclose(one, two, rtol=1e-6)
    assert one.any()


@pytest.mark.parametrize("form", ["sigmoid", "softmax"])
def test_a_network_that_is_sure_has_the_same_attention_only_stronger(form):
    mild = gradcam.attention(looking_at(REGION, 1.0, form), images(), np.ones(3, int))
    sure = gradcam.attention(looking_at(REGION, 1e4, form), images(), np.ones(3, int))
    np.testing.assert_allclose(sure, 1e4 * mild, rtol=1e-4)


def test_a_constant_network_has_no_attention_and_no_share():
    maps = gradcam.attention(looking_at(REGION, 0.0), images(), np.array([1, 0, 1]))
    assert not maps.any()
    assert np.isnan([lungs.share(one, SIZE_PX) for one in maps]).all()


@pytest.mark.slow
@pytest.mark.parametrize(("model", "size_px", "padding_px", "cells"), FORMS)
def test_every_network_has_maps_that_all_of_its_output_passes_through(model, size_px, padding_px, cells):
    keras.utils.clear_session()
    keras.utils.set_random_seed(0)
    units, activation = (2, "softmax") if model in ("covid_cnn", "xception") else (1, "sigmoid")
    network = models.on_grey(models.build(model, size_px, units, activation, None, padding_px))
    shown = images(2, size_px)
    maps = gradcam.attention(network, shown, np.array([0, 1]))
    assert maps.shape == (2, cells, cells)
    assert np.isfinite(maps).all()
    assert (maps >= 0).all()
    assert maps.any()
    said = network(shown.astype("float32"), training=False)
    assert not np.allclose(said[0], said[1], rtol=1e-6, atol=0)
    layer = gradcam.feature_layer(network)
    call = layer.call
    layer.call = lambda *arguments, **named: 0 * call(*arguments, **named)
    said = network(shown.astype("float32"), training=False)
    assert np.array_equal(said[0], said[1])


def test_a_network_of_mixed_precision_has_an_attention_of_full_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        network = models.on_grey(models.build("quick_cnn", 32, 1, "sigmoid", None, None))
    finally:
        keras.config.set_dtype_policy("float32")
    maps = gradcam.attention(network, images(), np.array([1, 0, 1]))
    assert maps.dtype == np.float32
    assert maps.any()


def test_a_network_of_another_end_or_without_maps_is_refused():
    grey = keras.Input((8, 8, 1))
    with pytest.raises(CxrbenchError, match="ends in relu of 1"):
        gradcam.attention(keras.Sequential([grey, keras.layers.Flatten(), keras.layers.Dense(1, "relu")]),
                          images(1, 8), np.ones(1, int))  # fmt: skip
    with pytest.raises(CxrbenchError, match="no maps of at least 4 by 4"):
        gradcam.feature_layer(keras.Sequential([grey, keras.layers.Flatten(), keras.layers.Dense(1, "sigmoid")]))


@pytest.mark.slow
def test_stored_networks_are_asked_in_a_process_of_their_own_and_a_damaged_one_says_so(tmp_path):
    network = looking_at(REGION)
    network.save(tmp_path / "good.keras")
    content = bytearray((tmp_path / "good.keras").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "changed.keras").write_bytes(content)
    (tmp_path / "short.keras").write_bytes(content[:100])
    called = np.ones(3, int)
    asked = [
        gradcam.Question(tmp_path / f"{name}.keras", images(), called) for name in ("good", "changed", "short", "good")
    ]
    good, *bad, again = gradcam.answers(asked)
    assert np.array_equal(good, again)
    np.testing.assert_allclose(good, gradcam.attention(network, images(), called), rtol=1e-5)
    assert all(one.startswith("the stored network can't be used (") for one in bad)


def test_nothing_is_started_where_nothing_is_asked(monkeypatch):
    monkeypatch.setattr(gradcam, "in_own_process", None)
    assert gradcam.answers([]) == []
