"""The lungs are the box that 'hide: lungs' takes, and the share is of the attention as it is shown."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from cxrbench.attention import lungs
from cxrbench.training.hide import BOXES, Hidden


@pytest.mark.parametrize("size_px", [28, 64, 224])
def test_the_box_is_what_the_setting_blacks_out(size_px):
    hidden = Hidden(np.ones((1, size_px, size_px, 1), "uint8"), "lungs")[0][..., 0] == 0
    assert np.array_equal(lungs.inside(size_px), hidden)
    top, bottom, left, right = BOXES["lungs"]
    assert lungs.inside(size_px).mean() == pytest.approx((bottom - top) * (right - left), abs=2 / size_px)


@pytest.mark.parametrize("cells", [(1, 1), (4, 4), (7, 5)])
def test_an_attention_that_is_the_same_everywhere_has_the_share_of_the_boxs_area(cells):
    assert lungs.share(np.full(cells, 0.3, "float32"), 64) == pytest.approx(lungs.inside(64).mean())


def test_a_map_is_shown_between_the_middles_of_its_cells():
    shown = lungs.spread(np.array([[0, 1], [0, 1]]), 8)
    np.testing.assert_allclose(shown, np.tile([0, 0, 1 / 8, 3 / 8, 5 / 8, 7 / 8, 1, 1], (8, 1)))


def test_no_attention_has_no_share_and_leaves_the_picture_as_it_is():
    grey = np.full((160, 160), 90, "uint8")
    assert np.isnan(lungs.share(np.zeros((4, 4)), 64))
    assert np.isnan(lungs.share(np.full((4, 4), np.nan), 64))
    shown = decoded(lungs.picture(grey, np.zeros((4, 4), "float32")))
    assert np.abs(shown[60:100, 60:100].astype(int) - 90).max() <= 2


def test_a_picture_is_orange_where_the_attention_is_and_has_the_box_as_a_line():
    cells = np.zeros((4, 4), "float32")
    cells[1, 2] = 5
    shown = decoded(lungs.picture(np.full((160, 160), 90, "uint8"), cells)).astype(int)
    redness = shown[..., 0] - shown[..., 2]
    assert np.unravel_index(redness.argmax(), redness.shape)[0] == pytest.approx(60, abs=8)
    assert np.unravel_index(redness.argmax(), redness.shape)[1] == pytest.approx(100, abs=8)
    assert abs(redness[140:, :20]).max() < 12
    edge = round(BOXES["lungs"][0] * 160)
    assert shown[edge, 20:60].mean() > 150
    assert shown[edge + 4, 20:60].mean() < 110


def decoded(content):
    return np.asarray(Image.open(BytesIO(content)))
