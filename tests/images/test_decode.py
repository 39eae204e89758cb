"""What an image file becomes: upright eight-bit grey of the asked size, or a reason code."""

import io
import os
import pickle
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from PIL import Image, ImageChops

from cxrbench.images.decode import decode, load_square
from cxrbench.images.examine import Picture, examine
from cxrbench.images.limits import Undecodable


def ramp(width=40, height=24):
    """Dark at the left, bright at the right."""
    return Image.fromarray(np.tile(np.linspace(0, 255, width).astype(np.uint8), (height, 1)))


def png_header(width, height):
    """A PNG that claims a size and holds no pixels to match."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")
    )


def reason(path):
    seen = examine(str(path))
    assert isinstance(seen, Undecodable)
    return seen.reason


@pytest.mark.parametrize(
    ("mode", "name"),
    [
        ("1", "a.png"),
        ("L", "a.png"),
        ("L", "a.jpg"),
        ("LA", "a.png"),
        ("P", "a.png"),
        ("P", "a.gif"),
        ("RGB", "a.jpg"),
        ("RGB", "a.bmp"),
        ("RGB", "a.webp"),
        ("RGBA", "a.png"),
        ("CMYK", "a.jpg"),
        ("CMYK", "a.tif"),
        ("F", "a.tif"),
        ("I", "a.tif"),
    ],
)
def test_every_usual_mode_becomes_the_same_grey_ramp(tmp_path, mode, name):
    ramp().convert(mode).save(tmp_path / name)
    grey = decode(tmp_path / name)
    assert (grey.mode, grey.size) == ("L", (40, 24))
    values = np.asarray(grey, float)
    assert values[:, :8].mean() < 60
    assert values[:, -8:].mean() > 195
    assert examine(str(tmp_path / name)).width == 40


def test_sixteen_bits_are_stretched_whatever_part_of_them_is_used(tmp_path):
    twelve_bits = np.tile(np.linspace(100, 4095, 40).astype(np.uint16), (24, 1))
    Image.fromarray(twelve_bits).save(tmp_path / "a.png")
    assert examine(str(tmp_path / "a.png")).mode.startswith("I")
    grey = np.asarray(decode(tmp_path / "a.png"))
    assert (grey.min(), grey.max()) == (0, 255)
    assert (np.diff(grey[0].astype(int)) >= 0).all()


def test_an_even_sixteen_bit_image_is_black_and_no_error(tmp_path):
    Image.fromarray(np.full((20, 20), 900, np.uint16)).save(tmp_path / "a.png")
    assert not np.asarray(decode(tmp_path / "a.png")).any()


def test_pixels_that_are_no_numbers_are_refused(tmp_path):
    Image.fromarray(np.full((20, 20), np.nan, np.float32)).save(tmp_path / "a.tif")
    assert reason(tmp_path / "a.tif") == "unsupported"


def test_transparency_lies_on_black(tmp_path):
    white = Image.new("RGBA", (20, 20), (255, 255, 255, 0))
    white.save(tmp_path / "a.png")
    assert not np.asarray(decode(tmp_path / "a.png")).any()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif"])
def test_a_turned_image_comes_upright_with_its_upright_size(tmp_path, orientation, name):
    upright = ramp()
    upright.paste(255, (0, 0, 20, 12))  # a bright corner at the top left, so that each turn differs
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # Image.Transpose that stores the upright image turned
    stored = upright.transpose(undo[orientation]) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / name, exif=exif)
    seen = np.asarray(decode(tmp_path / name), int)
    assert np.abs(seen - np.asarray(upright, int)).mean() < 4
    picture = examine(str(tmp_path / name))
    assert (picture.width, picture.height) == (40, 24)


def test_each_kind_of_unusable_file_has_its_reason(tmp_path):
    ramp(300, 200).save(tmp_path / "whole.jpg")
    whole = (tmp_path / "whole.jpg").read_bytes()
    files = {
        "empty": b"",
        "not an image": b"dear reader " * 9,
        "truncated": whole[: len(whole) * 2 // 3],
    }
    for expected, content in files.items():
        path = tmp_path / f"{expected}.jpg"
        path.write_bytes(content)
        assert reason(path) == expected
    assert reason(tmp_path / "none.jpg") == "missing"
    assert reason(tmp_path / "whole.jpg" / "below.jpg") == "missing"
    assert reason("nul\0inside.jpg") == "missing"
    assert reason(tmp_path) == "not an image"
    os.mkfifo(tmp_path / "pipe.jpg")  # to open it would wait for ever
    assert reason(tmp_path / "pipe.jpg") == "not an image"
    ramp(40, 15).save(tmp_path / "small.png")
    assert reason(tmp_path / "small.png") == "too small"
    ramp(16, 16).save(tmp_path / "least.png")
    assert isinstance(examine(str(tmp_path / "least.png")), Picture)


@pytest.mark.parametrize(
    ("width", "height"), [(65_536, 100), (100, 65_536), (14_000, 14_000), (30_000, 30_000), (2**31 - 1, 2**31 - 1)]
)
def test_a_size_no_radiograph_has_is_refused_before_any_pixel_is_decoded(tmp_path, width, height):
    path = tmp_path / "bomb.png"
    path.write_bytes(png_header(width, height))
    assert path.stat().st_size < 200
    tracemalloc.start()
    try:
        assert reason(path) == "too large"
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_a_strip_of_thirty_thousand_pixels_is_read(tmp_path):
    ramp(30_000, 400).save(tmp_path / "a.png")
    picture = examine(str(tmp_path / "a.png"))
    assert (picture.width, picture.height) == (30_000, 400)
    assert load_square(tmp_path / "a.png", 32, "pad").max() > 240


def test_one_pixel_is_too_small(tmp_path):
    for name in ("a.png", "a.jpg", "a.gif"):
        ramp(1, 1).save(tmp_path / name)
        assert reason(tmp_path / name) == "too small"


def test_the_content_decides_and_not_the_name(tmp_path):
    ramp().save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / "a.jpg")
    assert (np.asarray(decode(tmp_path / "a.jpg")) == np.asarray(ramp())).all()


def without_adobe(data):
    """A JPEG without the segment that says whose colours these are."""
    at = data.index(b"\xff\xee")
    return data[:at] + data[at + 2 + int.from_bytes(data[at + 2 : at + 4], "big") :]


def test_ink_is_dark_whether_a_cmyk_jpeg_stores_it_inverted_as_adobe_or_plain(tmp_path):
    ramp().convert("CMYK").save(tmp_path / "adobe.jpg", quality=95)
    inverted = ImageChops.invert(ramp().convert("CMYK"))
    inverted.save(tmp_path / "plain.jpg", quality=95)
    (tmp_path / "plain.jpg").write_bytes(without_adobe((tmp_path / "plain.jpg").read_bytes()))
    for name in ("adobe.jpg", "plain.jpg"):
        grey = np.asarray(decode(tmp_path / name), int)
        assert np.abs(grey - np.asarray(ramp(), int)).max() < 8
        assert examine(str(tmp_path / name)).mode == "CMYK"


def test_a_refusal_says_which_file_why_and_what_to_do_also_after_a_trip_between_processes(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"no")
    with pytest.raises(Undecodable, match=r"a\.png cannot be used: not an image .* replace the file") as caught:
        decode(path)
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (str(copy), copy.reason) == (str(caught.value), "not an image")


def test_damaged_exif_spoils_no_picture(tmp_path):
    buffer = io.BytesIO()
    ramp().save(buffer, "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\x01\x12\0\x03")
    (tmp_path / "a.jpg").write_bytes(buffer.getvalue())
    assert isinstance(examine(str(tmp_path / "a.jpg")), Picture)
