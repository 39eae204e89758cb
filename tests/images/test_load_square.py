"""What a network is given: a grey square of the asked size, by each way of resizing, of the file that was meant."""

import hashlib

import numpy as np
import pytest
from PIL import Image

from cxrbench.base.errors import CxrbenchError
from cxrbench.config.setting import RESIZES as SETTING_RESIZES
from cxrbench.images.decode import RESIZES, decode, load_square


def test_a_setting_knows_every_way_to_resize_and_no_other():
    assert SETTING_RESIZES == RESIZES


def test_a_file_that_is_not_the_one_of_the_manifest_is_refused(tmp_path):
    Image.linear_gradient("L").save(tmp_path / "a.png")
    right = hashlib.sha256((tmp_path / "a.png").read_bytes()).hexdigest()
    assert load_square(tmp_path / "a.png", 16, "squash", right).shape == (16, 16)
    with pytest.raises(CxrbenchError, match=rf"a\.png has changed .* {right[:12]}\.\.\., .* 000000000000.*-f download"):
        load_square(tmp_path / "a.png", 16, "squash", "0" * 64)


def test_squash_fills_the_square_and_pad_keeps_the_aspect_ratio(tmp_path):
    Image.new("L", (80, 40), 200).save(tmp_path / "a.png")
    squashed = load_square(tmp_path / "a.png", 32, "squash")
    padded = load_square(tmp_path / "a.png", 32, "pad")
    assert squashed.shape == padded.shape == (32, 32)
    assert squashed.dtype == padded.dtype == np.uint8
    assert (squashed == 200).all()
    assert (padded[8:24] == 200).all()
    assert not padded[:8].any()
    assert not padded[24:].any()


@pytest.mark.parametrize("edge", [0, 90, 255])
def test_trim_gives_the_same_square_whatever_margin_surrounds_the_picture(tmp_path, edge):
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (96, 120), dtype=np.uint8))
    picture.save(tmp_path / "bare.png")
    framed = Image.new("L", (200, 150), edge)
    framed.paste(picture, (60, 20))
    framed.save(tmp_path / "framed.png")
    bare = load_square(tmp_path / "bare.png", 32, "squash")
    assert (load_square(tmp_path / "framed.png", 32, "trim") == bare).all()
    assert (load_square(tmp_path / "bare.png", 32, "trim") == bare).all()
    assert (load_square(tmp_path / "framed.png", 32, "squash") != bare).any()


def test_trim_leaves_an_even_picture_and_one_that_is_nearly_all_margin_as_they_are(tmp_path):
    Image.new("L", (80, 40), 200).save(tmp_path / "even.png")
    assert (load_square(tmp_path / "even.png", 32, "trim") == 200).all()
    speck = np.zeros((64, 64), dtype=np.uint8)
    speck[20:30, 20:30] = np.random.default_rng(0).integers(100, 256, (10, 10))
    Image.fromarray(speck).save(tmp_path / "speck.png")
    squashed = load_square(tmp_path / "speck.png", 32, "squash")
    assert (load_square(tmp_path / "speck.png", 32, "trim") == squashed).all()


def test_a_very_long_image_keeps_at_least_one_row(tmp_path):
    Image.new("L", (4000, 16), 255).save(tmp_path / "a.png")
    assert load_square(tmp_path / "a.png", 32, "pad").any()


def test_a_jpeg_decoded_small_looks_like_the_same_decoded_in_full(tmp_path):
    rng = np.random.default_rng(0)
    smooth = Image.fromarray(rng.integers(0, 256, (12, 12), dtype=np.uint8)).resize((1200, 900))
    smooth.save(tmp_path / "a.jpg", quality=95)
    whole = decode(tmp_path / "a.jpg")
    assert whole.size == (1200, 900)
    assert min(decode(tmp_path / "a.jpg", at_least_px=64).size) in range(64, 900)
    expected = np.asarray(whole.resize((64, 64), Image.Resampling.BILINEAR), int)
    difference = np.abs(load_square(tmp_path / "a.jpg", 64, "squash") - expected)
    assert difference.max() <= 6
    assert difference.mean() < 1


def test_an_unknown_way_to_resize_is_refused(tmp_path):
    with pytest.raises(ValueError, match="stretch"):
        load_square(tmp_path / "a.png", 32, "stretch")
