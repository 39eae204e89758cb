"""Images are decoded once, in order, and a half-made array is never taken for a whole one."""

import numpy as np
import pytest
from PIL import Image

from cxrbench.errors import CxrbenchError
from cxrbench.training.arrays import grey_squares


def images(folder, count=5):
    for k in range(count):
        Image.fromarray(np.full((40, 30), 40 * k, "uint8")).save(folder / f"{k}.png")
    return [str(folder / f"{k}.png") for k in range(count)], [f"sha{k}" for k in range(count)]


def test_the_array_holds_the_images_in_the_order_of_the_list_and_is_made_once(tmp_path):
    paths, sums = images(tmp_path)
    steps = []
    made = grey_squares(paths, sums, 16, "squash", tmp_path / "cache", 1, lambda n, what: steps.append(n))
    array = np.load(made)
    assert array.shape == (5, 16, 16, 1)
    assert array.dtype == np.uint8
    assert [int(a.mean()) for a in array] == [0, 40, 80, 120, 160]
    assert sum(steps) == 5
    stamp = made.stat().st_mtime_ns
    assert grey_squares(paths, sums, 16, "squash", tmp_path / "cache", 1, lambda n, what: None) == made
    assert made.stat().st_mtime_ns == stamp
    others = [(paths, ["x", *sums[1:]], 16, "squash"), (paths, sums, 17, "squash"), (paths, sums, 16, "pad")]
    for other in others:
        assert grey_squares(*other, tmp_path / "cache", 1, lambda n, what: None) != made


def test_an_image_that_has_gone_is_an_error_that_names_it_and_leaves_no_array(tmp_path):
    paths, sums = images(tmp_path)
    (tmp_path / "3.png").unlink()
    with pytest.raises(CxrbenchError, match=r"3\.png"):
        grey_squares(paths, sums, 16, "squash", tmp_path / "cache", 1, lambda n, what: None)
    assert list((tmp_path / "cache").iterdir()) == []
