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


def test_an_image_of_one_grey_is_refused(tmp_path):
    for name, value, dtype in (("deep.png", 900, np.uint16), ("black.png", 0, np.uint8), ("white.jpg", 255, np.uint8)):
        Image.fromarray(np.full((20, 20), value, dtype)).save(tmp_path / name)
        assert reason(tmp_path / name) == "one grey"


def test_one_hot_pixel_leaves_the_others_of_sixteen_bits_their_grey(tmp_path):
    twelve_bits = np.tile(np.linspace(0, 4095, 40).astype(np.uint16), (24, 1))
    Image.fromarray(twelve_bits).save(tmp_path / "plain.png")
    twelve_bits[3, 3] = 65535
    Image.fromarray(twelve_bits).save(tmp_path / "hot.png")
    plain, hot = (np.asarray(decode(tmp_path / name), int) for name in ("plain.png", "hot.png"))
    assert hot[3, 3] == 255
    hot[3, 3] = plain[3, 3]
    assert np.abs(hot - plain).max() <= 1


@pytest.mark.parametrize("bits", [8, 16])
def test_a_tiff_in_which_white_is_zero_is_shown_as_one_in_which_black_is(tmp_path, bits):
    values = np.asarray(ramp()) if bits == 8 else np.asarray(ramp()).astype(np.uint16) * 257
    for photometric in (1, 0):
        Image.fromarray(values).save(tmp_path / "a.tif", tiffinfo={262: 1})
        data = bytearray((tmp_path / "a.tif").read_bytes())
        at = data.index(struct.pack("<HHI", 262, 3, 1)) + 8
        data[at] = photometric
        (tmp_path / "a.tif").write_bytes(data)
        expected = np.asarray(ramp(), int)
        seen = np.asarray(decode(tmp_path / "a.tif"), int)
        assert np.abs(seen - (expected if photometric else 255 - expected)).max() <= 1


@pytest.mark.parametrize(
    ("name", "options"),
    [("a.gif", {}), ("a.png", {}), ("a.webp", {"lossless": True}), ("a.tif", {})],
)
def test_a_file_of_several_images_is_refused_as_a_dicom_of_several_is(tmp_path, name, options):
    second = ramp().transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    ramp().save(tmp_path / name, save_all=True, append_images=[second], **options)
    seen = examine(str(tmp_path / name))
    assert isinstance(seen, Undecodable)
    assert seen.reason == "unsupported"
    assert "2 frames or pages" in seen.detail
    ramp().save(tmp_path / name, save_all=True, append_images=[], **options)
    assert isinstance(examine(str(tmp_path / name)), Picture)


def test_a_reduced_copy_in_a_tiff_and_what_a_camera_puts_behind_a_jpeg_are_no_second_image(tmp_path):
    ramp().resize((20, 16)).save(tmp_path / "copy.tif", tiffinfo={254: 1})
    copy = Image.open(tmp_path / "copy.tif")
    copy.encoderinfo = {"tiffinfo": {254: 1}}
    ramp().save(tmp_path / "a.tif", save_all=True, append_images=[copy])
    assert np.array_equal(np.asarray(decode(tmp_path / "a.tif")), np.asarray(ramp()))
    ramp().convert("RGB").save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[ramp(90, 90).convert("RGB")])
    assert Image.open(tmp_path / "a.jpg").format == "MPO"
    assert decode(tmp_path / "a.jpg").size == (40, 24)


def test_pixels_that_are_no_numbers_are_refused(tmp_path):
    Image.fromarray(np.full((20, 20), np.nan, np.float32)).save(tmp_path / "a.tif")
    assert reason(tmp_path / "a.tif") == "unsupported"


def test_transparency_lies_on_black_and_a_fully_transparent_image_is_refused(tmp_path):
    white = np.full((20, 20, 4), 255, np.uint8)
    white[:, :10, 3] = 0
    Image.fromarray(white).save(tmp_path / "a.png")
    grey = np.asarray(decode(tmp_path / "a.png"))
    assert not grey[:, :10].any()
    assert (grey[:, 10:] == 255).all()
    hidden = np.dstack([np.asarray(ramp().convert("RGB")), np.zeros((24, 40), np.uint8)])
    Image.fromarray(hidden).save(tmp_path / "a.png")
    assert reason(tmp_path / "a.png") == "one grey"


def test_a_colour_space_without_a_grey_is_refused(tmp_path):
    Image.new("LAB", (20, 20), (50, 10, 10)).save(tmp_path / "a.tif")
    assert reason(tmp_path / "a.tif") == "unsupported"


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


def test_a_file_or_pixels_that_memory_does_not_hold_are_refused(tmp_path, monkeypatch):
    def no_room(*_):
        raise MemoryError

    ramp(40, 40).save(tmp_path / "a.png")
    with monkeypatch.context() as patch:
        patch.setattr("PIL.PngImagePlugin.PngImageFile.load", no_room)
        assert reason(tmp_path / "a.png") == "too large"
    monkeypatch.setattr("cxrbench.images.decode.MAX_FILE_BYTES", 10)
    assert reason(tmp_path / "a.png") == "too large"


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
