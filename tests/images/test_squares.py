"""Images are decoded once, in order, and a half-made array is never taken for a whole one."""

import hashlib
import os
import signal

import numpy as np
import pytest
from PIL import Image

from cxrbench.base.errors import CxrbenchError
from cxrbench.images import squares
from cxrbench.images.squares import grey_squares


def images(folder, count=5):
    for k in range(count):
        grey = np.full((40, 30), 40 * k, "uint8")
        grey[0, 0] += 1  # a picture of one grey is none
        Image.fromarray(grey).save(folder / f"{k}.png")
    paths = [folder / f"{k}.png" for k in range(count)]
    return [str(path) for path in paths], [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]


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
    others = [(paths[::-1], sums[::-1], 16, "squash"), (paths, sums, 17, "squash"), (paths, sums, 16, "pad")]
    for other in others:
        assert grey_squares(*other, tmp_path / "cache", 1, lambda n, what: None) != made


def test_an_image_that_has_gone_is_an_error_that_names_it_and_leaves_no_array(tmp_path):
    paths, sums = images(tmp_path)
    (tmp_path / "3.png").unlink()
    with pytest.raises(CxrbenchError, match=r"3\.png"):
        grey_squares(paths, sums, 16, "squash", tmp_path / "cache", 1, lambda n, what: None)
    assert list((tmp_path / "cache").iterdir()) == []


def test_an_image_whose_bytes_have_changed_since_the_manifest_is_an_error_with_both_hashes(tmp_path):
    paths, sums = images(tmp_path)
    sums[2] = "f" * 64
    message = (
        r"2\.png has changed since the manifest was made: its sha256 is [0-9a-f]{12}\.\.\., .* ffffffffffff\.\.\.;"
    )
    with pytest.raises(CxrbenchError, match=message):
        grey_squares(paths, sums, 16, "squash", tmp_path / "cache", 1, lambda n, what: None)
    assert list((tmp_path / "cache").iterdir()) == []


def die(file, size_px, resize):
    os.kill(os.getpid(), signal.SIGSEGV)


def test_an_image_that_crashes_its_decoder_is_an_error_that_names_it(tmp_path, monkeypatch):
    paths, sums = images(tmp_path)
    monkeypatch.setattr(squares, "WORTH_A_POOL", 1)
    monkeypatch.setattr(squares, "_square", die)
    with pytest.raises(CxrbenchError, match=r"0\.png cannot be used: decoder crashed \(signal SIGSEGV"):
        grey_squares(paths, sums, 16, "squash", tmp_path / "cache", 1, lambda n, what: None)
    assert list((tmp_path / "cache").iterdir()) == []


def test_an_image_that_another_list_holds_is_copied_and_not_decoded_again(tmp_path):
    paths, sums = images(tmp_path)
    first = np.load(grey_squares(paths, sums, 16, "squash", tmp_path / "cache", 1, lambda n, what: None))
    for path in paths[1:]:
        os.unlink(path)
    order, steps = [4, 0, 2, 2], []
    again = grey_squares(
        [paths[k] for k in order],
        [sums[k] for k in order],
        16,
        "squash",
        tmp_path / "cache",
        1,
        lambda n, what: steps.append(n),
    )
    np.testing.assert_array_equal(np.load(again), first[order])
    assert sum(steps) == len(order)
    with pytest.raises(CxrbenchError, match=r"1\.png"):  # of another size it must be read
        grey_squares(paths, sums, 17, "squash", tmp_path / "cache", 1, lambda n, what: None)


@pytest.mark.parametrize("harm", ["no array", "cut array", "cut list"])
def test_a_cache_that_lost_something_is_decoded_anew(tmp_path, harm):
    paths, sums = images(tmp_path)
    cache = tmp_path / "cache"
    made = grey_squares(paths, sums, 16, "squash", cache, 1, lambda n, what: None)
    whole = np.load(made).copy()
    listed = made.with_suffix(".txt")
    if harm == "no array":
        made.unlink()
    elif harm == "cut array":
        made.write_bytes(made.read_bytes()[:200])
    else:
        listed.write_text("\n".join(sums[:2]) + "\n" + sums[2][:9])
    again = grey_squares(paths[::-1], sums[::-1], 16, "squash", cache, 1, lambda n, what: None)
    np.testing.assert_array_equal(np.load(again), whole[::-1])
