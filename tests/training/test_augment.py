"""Augmentation changes each image in its own way, is repeated by its seed and stays in the range of pixels."""

import importlib
import pkgutil

import numpy as np
import pytest

from cxrbench.config.setting import AUGMENTS
from cxrbench.training import augment

CHANGES = [name for name in AUGMENTS if name != "none"]


def changed(name, images, seed=0):
    return np.asarray(augment.layer(name, seed)(images, training=True))


@pytest.fixture(scope="module")
def radiograph():
    """uint8 [1, 32, 32, 1]: a bright bar left of the middle on a grey ground."""
    image = np.full((1, 32, 32, 1), 60, "uint8")
    image[0, 8:24, 8:12] = 200
    return image


def test_settings_allow_exactly_the_augmentations_there_are():
    names = [module.name for module in pkgutil.iter_modules(augment.__path__)]
    assert sorted(n for n in names if hasattr(importlib.import_module(f"{augment.__name__}.{n}"), "change")) == (
        sorted(CHANGES)
    )


def test_none_is_no_layer():
    assert augment.layer("none", 0) is None


@pytest.mark.parametrize("name", CHANGES)
def test_validation_sees_images_as_they_are(name, radiograph):
    np.testing.assert_array_equal(np.asarray(augment.layer(name, 0)(radiograph, training=False)), radiograph)


@pytest.mark.parametrize("name", CHANGES)
def test_each_image_is_changed_in_its_own_way_and_a_seed_repeats_it(name, radiograph):
    batch = np.repeat(radiograph, 6, axis=0)
    first, again, other = (changed(name, batch, seed) for seed in (1, 1, 2))
    assert first.shape == batch.shape
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)
    assert len({picture.tobytes() for picture in first}) == 6


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("level", [0, 255])
def test_no_change_leaves_the_range_of_pixels(name, level):
    flat = np.full((64, 16, 16, 1), level, "uint8")
    result = changed(name, flat)
    assert result.dtype == np.float32
    assert np.isfinite(result).all()
    assert result.min() >= -1e-3
    assert result.max() <= 255 + 1e-3  # bilinear weights sum to 1 but for rounding


def test_the_papers_map_moves_pixels_and_invents_none(radiograph):
    batch = np.repeat(radiograph, 64, axis=0)
    result = changed("paper", batch)
    assert result.min() >= 60 - 1e-3
    assert result.max() <= 200 + 1e-3
    noisy = np.random.default_rng(0).integers(0, 255, (64, 32, 32, 1)).astype("uint8")
    assert abs(changed("paper", noisy).mean() - noisy.mean()) < 5


def test_an_image_from_anywhere_may_be_a_negative(radiograph):
    batch = np.repeat(radiograph, 400, axis=0)
    result = changed("robust", batch)[:, 8:24, 8:24].reshape(400, -1)
    darker = np.median(result, axis=1) > np.percentile(result, 3, axis=1) + 40  # the bar is the darkest thing in it
    assert 0.05 < darker.mean() < 0.5


def test_an_image_from_anywhere_may_lie_in_a_black_a_white_or_a_grey_margin(radiograph):
    corners = changed("robust", np.repeat(radiograph, 400, axis=0))[:, [0, 0, -1, -1], [0, -1, 0, -1], 0]
    even = np.ptp(corners, axis=1) == 0
    black, white = even & (corners[:, 0] == 0), even & (corners[:, 0] == 255)
    assert 0.1 < black.mean() < 0.5
    assert 0.05 < white.mean() < 0.3
    assert 0.02 < (even & ~black & ~white).mean() < 0.3
    assert 0.1 < (~even).mean() < 0.8


def test_an_image_from_anywhere_is_wider_or_higher_than_it_was():
    square = np.zeros((200, 64, 64, 1), "uint8")
    square[:, 16:48, 16:48] = 255
    result = changed("robust", square) / 255
    inside = np.abs(result - np.median(result[:, :2].reshape(200, -1), axis=1)[:, None, None, None]) > 0.3
    wide, high = inside.any(axis=1).sum(axis=(1, 2)), inside.any(axis=2).sum(axis=(1, 2))
    ratio = np.log(wide[(wide > 8) & (high > 8)] / high[(wide > 8) & (high > 8)])
    assert np.percentile(ratio, 10) < -0.15
    assert np.percentile(ratio, 90) > 0.15
