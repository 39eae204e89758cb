"""The paper's augmentation changes each image by its own affine map and is repeated by its seed."""

import numpy as np

from cxrbench.training import augment


def test_none_is_no_layer():
    assert augment.layer("none", 0) is None


def test_each_image_gets_its_own_map_and_a_seed_repeats_it():
    image = np.zeros((1, 32, 32, 1), "uint8")
    image[0, 8:20, 10:14] = 200
    batch = np.repeat(image, 6, axis=0)
    first, again, other = (np.asarray(augment.layer("paper", seed)(batch)) for seed in (1, 1, 2))
    assert first.shape == batch.shape
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)
    assert len({picture.tobytes() for picture in first}) == 6
    assert first.min() >= 0
    assert first.max() <= 200


def test_pixels_stay_where_the_map_says_on_average():
    rng = np.random.default_rng(0)
    flat = np.full((4, 16, 16, 1), 77, "uint8")
    np.testing.assert_allclose(np.asarray(augment.layer("paper", 3)(flat)), 77, atol=1e-3)
    noisy = rng.integers(0, 255, (64, 32, 32, 1)).astype("uint8")
    changed = np.asarray(augment.layer("paper", 3)(noisy))
    assert abs(changed.mean() - noisy.mean()) < 5
