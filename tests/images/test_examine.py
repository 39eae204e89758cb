"""What the manifest holds of a picture, at whatever scale it was decoded."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from cxrbench.images import decode
from cxrbench.images.examine import examine
from cxrbench.images.margin import border, brightness
from cxrbench.images.perceptual import phash


def film(rng, height, width):
    """Something without a margin: of every grey, and of every low frequency."""
    coarse = rng.integers(0, 256, (24, 24), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def framed(picture, top, right, bottom, left, level):
    return np.pad(picture, ((top, bottom), (left, right)), constant_values=level)


@pytest.mark.parametrize(("width", "height"), [(160, 160), (640, 480), (2500, 1900)])
@pytest.mark.parametrize("quality", [60, 95])
def test_brightness_border_and_hash_of_a_jpeg_decoded_small_are_those_of_the_whole(tmp_path, width, height, quality):
    picture = film(np.random.default_rng(1), height * 3 // 4, width)
    whole = framed(picture, height // 8, 0, height - height * 3 // 4 - height // 8, 0, 0)
    Image.fromarray(whole).save(tmp_path / "a.jpg", quality=quality)
    seen = examine(str(tmp_path / "a.jpg"))
    assert seen.brightness == pytest.approx(whole.mean(), abs=1)
    assert seen.border == pytest.approx(0.25, abs=0.04)
    difference = int(seen.phash, 16) ^ int(phash(Image.fromarray(whole)), 16)
    assert difference.bit_count() <= 8


def test_a_file_is_read_and_decoded_once(tmp_path, monkeypatch):
    Image.fromarray(film(np.random.default_rng(0), 100, 100)).save(tmp_path / "a.png")
    calls = []
    load = Image.Image.load
    monkeypatch.setattr(decode, "_load", lambda path, image, px: calls.append(path) or load(image))
    examine(str(tmp_path / "a.png"))
    assert calls == [str(tmp_path / "a.png")]


def test_brightness_is_the_mean_grey():
    assert brightness(np.full((20, 30), 200, np.uint8)) == 200
    assert brightness(np.array([[0, 255]], np.uint8)) == 127.5


@given(st.tuples(*[st.integers(0, 30)] * 4), st.sampled_from([0, 3, 128, 252, 255]), st.integers(0, 9))
def test_a_margin_is_found_on_any_side_and_of_any_grey(sides, level, seed):
    picture = np.random.default_rng(seed).integers(0, 256, (60, 50), dtype=np.uint8)
    whole = framed(picture, *sides, level)
    assert border(whole) == pytest.approx(1 - picture.size / whole.size)


@pytest.mark.parametrize("quality", [50, 75, 95])
@pytest.mark.parametrize("level", [0, 255])
def test_the_noise_of_jpeg_hides_no_margin(tmp_path, quality, level):
    whole = framed(film(np.random.default_rng(2), 300, 300), 64, 32, 64, 32, level)
    Image.fromarray(whole).save(tmp_path / "a.jpg", quality=quality)
    assert border(np.asarray(Image.open(tmp_path / "a.jpg"))) == pytest.approx(1 - 300 * 300 / whole.size, abs=0.05)


def test_a_letter_ends_a_margin_and_a_speck_does_not():
    whole = framed(film(np.random.default_rng(3), 100, 200), 40, 0, 0, 0, 0)
    whole[20, 7] = 255
    assert border(whole) == pytest.approx(40 / 140)
    whole[20:30, 10:20] = 255
    assert border(whole) == pytest.approx(20 / 140)


def test_an_even_picture_is_all_margin_and_a_gradient_none():
    assert border(np.full((50, 60), 90, np.uint8)) == 1
    assert border(np.tile(np.linspace(0, 255, 60).astype(np.uint8), (50, 1))) < 0.1
    assert border(np.full((1, 1), 90, np.uint8)) == 1


def test_a_large_image_is_measured_as_a_small_one():
    whole = framed(film(np.random.default_rng(4), 3000, 2000), 500, 0, 500, 0, 0)
    assert border(whole) == pytest.approx(0.25, abs=0.01)
