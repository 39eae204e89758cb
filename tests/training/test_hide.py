"""A blacked-out part is black in whatever training takes, and nothing else changes."""

import numpy as np
import pytest

from cxrbench.config.setting import HIDDEN
from cxrbench.training.hide import BOXES, Hidden


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(1, 256, (5, 20, 50, 1)).astype("uint8")


def test_the_names_are_those_of_the_setting():
    assert tuple(BOXES) == HIDDEN


def test_nothing_hidden_is_the_image(images):
    assert np.array_equal(Hidden(images, "nothing")[np.array([3, 1])], images[[3, 1]])


@pytest.mark.parametrize("places", [2, np.array([2]), np.array([4, 2, 2])])
def test_the_lungs_are_a_box_of_shares_and_the_stored_images_stay(images, places):
    before = images.copy()
    taken = Hidden(images, "lungs")[places]
    black = np.zeros((20, 50), dtype=bool)
    black[2:17, 3:47] = True
    assert (taken[..., black, :] == 0).all()
    assert np.array_equal(taken[..., ~black, :], images[places][..., ~black, :])
    assert np.array_equal(images, before)
