"""Whole image files of every kind that is read, and the ways in which a file comes to harm.

Shared by test_damaged.py and benchmarks/damaged_files.py; a seed and a number name a damaged file for good.
"""

import io

import numpy as np
from PIL import Image
from pydicom import uid

from tests.images.dicom_files import EXPLICIT, IMPLICIT, bundled, dicom_bytes


def whole_files():
    """Kind -> bytes of a good file of that kind; all small, so that many fit in a test."""
    rng = np.random.default_rng(0)
    smooth = Image.fromarray(rng.integers(0, 256, (6, 8), dtype=np.uint8)).resize((64, 48))
    deep = np.asarray(smooth).astype(np.uint16) * 16
    rgb = np.stack([np.asarray(smooth)] * 3, axis=2)

    def saved(form, mode="L", **options):
        buffer = io.BytesIO()
        image = Image.fromarray(deep) if mode == "I;16" else smooth.convert(mode)
        image.save(buffer, form, **options)
        return buffer.getvalue()

    return {
        "JPEG": saved("JPEG"),
        "JPEG RGB": saved(
            "JPEG", "RGB", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
        ),
        "JPEG progressive": saved("JPEG", "RGB", progressive=True),
        "JPEG CMYK": saved("JPEG", "CMYK"),
        "PNG": saved("PNG"),
        "PNG 16-bit": saved("PNG", "I;16"),
        "PNG palette": saved("PNG", "P"),
        "PNG alpha": saved("PNG", "RGBA"),
        "TIFF": saved("TIFF", "RGB"),
        "TIFF 16-bit": saved("TIFF", "I;16"),
        "TIFF deflate": saved("TIFF", compression="tiff_adobe_deflate"),
        "TIFF LZW": saved("TIFF", compression="tiff_lzw"),
        "TIFF JPEG": saved("TIFF", "RGB", compression="jpeg"),
        "BMP": saved("BMP", "RGB"),
        "GIF": saved("GIF", "P"),
        "WEBP": saved("WEBP", "RGB"),
        "WEBP lossless": saved("WEBP", "RGB", lossless=True),
        "JPEG2000": saved("JPEG2000"),
        "PPM": saved("PPM", "RGB"),
        "DICOM implicit": dicom_bytes(deep, IMPLICIT, bits=12),
        "DICOM explicit": dicom_bytes(deep, EXPLICIT, "MONOCHROME1", bits=12, WindowCenter=2000, WindowWidth=3000),
        "DICOM no preamble": dicom_bytes(deep, EXPLICIT, bits=12, preamble=False),
        "DICOM RLE": dicom_bytes(deep, uid.RLELossless, bits=12),
        "DICOM RLE RGB": dicom_bytes(rgb, uid.RLELossless, "RGB"),
        "DICOM JPEG 2000": dicom_bytes(deep, uid.JPEG2000Lossless, bits=12),
        "DICOM JPEG": dicom_bytes(np.asarray(smooth), uid.JPEGBaseline8Bit),
        "DICOM JPEG lossless": dicom_bytes(deep, uid.JPEGLosslessSV1, bits=12),
        "DICOM JPEG-LS": bundled("MR_small_jpeg_ls_lossless.dcm"),
        "DICOM JPEG 12-bit": bundled("JPGExtended.dcm"),
    }


def damaged(wholes, seed, number):
    """(kind, harm, bytes): kinds and harms take turns, the rest is drawn from ``seed`` and ``number``."""
    rng = np.random.default_rng([seed, number])
    kinds, harms = list(wholes), list(HARMS)
    kind, harm = kinds[number % len(kinds)], harms[number // len(kinds) % len(harms)]
    other = wholes[kinds[int(rng.integers(len(kinds)))]]
    return kind, harm, bytes(HARMS[harm](rng, wholes[kind], other))


def truncated(rng, data, other):
    return data[: rng.integers(0, len(data))]


def bits_flipped(rng, data, other):
    changed = bytearray(data)
    for at in rng.integers(0, len(data), rng.integers(1, 12)):
        changed[at] ^= 1 << int(rng.integers(8))
    return changed


def run_overwritten(rng, data, other):
    at, length = rng.integers(0, len(data)), rng.integers(1, 1 + len(data) // 4)
    changed = bytearray(data)
    changed[at : at + length] = [rng.bytes(length), b"\0" * length, b"\xff" * length][rng.integers(3)]
    return changed


def header_changed(rng, data, other):
    """Some bytes of what says how the rest is to be read."""
    changed = bytearray(data)
    for at in header_places(rng, data, rng.integers(1, 5)):
        changed[at] = [0, 1, 0x7F, 0xFF, int(rng.integers(256))][rng.integers(5)]
    return changed


def length_lies(rng, data, other):
    """A number of two or four bytes in the header becomes huge, none, or nearly right."""
    changed = bytearray(data)
    at, width = header_places(rng, data, 1)[0], [2, 4][rng.integers(2)]
    order = ["big", "little"][rng.integers(2)]
    true = int.from_bytes(data[at : at + width], order)
    lie = [0, 1, 256**width - 1, 256**width // 2, 30_000, true + 1, true * 2, int(rng.integers(256**width))]
    changed[at : at + width] = (lie[rng.integers(len(lie))] % 256**width).to_bytes(width, order)
    return changed


def spliced(rng, data, other):
    """The head of one file with the tail of another, as after a crash of a disk."""
    return data[: rng.integers(4, len(data))] + other[rng.integers(0, len(other)) :]


def part_missing(rng, data, other):
    at = rng.integers(0, len(data))
    return data[:at] + data[at + rng.integers(1, 60) :]


def part_twice(rng, data, other):
    at, length = rng.integers(0, len(data)), rng.integers(1, 200)
    return data[: at + length] + data[at:]


def header_places(rng, data, count):
    """Offsets in the first 900 bytes behind a DICOM preamble, most of them early."""
    start = 128 if data[128:132] == b"DICM" else 0
    reach = min(len(data) - start, [40, 200, 900][rng.integers(3)])
    return [start + int(at) for at in rng.integers(0, reach, count)]


HARMS = {
    "truncated": truncated,
    "bits flipped": bits_flipped,
    "run overwritten": run_overwritten,
    "header changed": header_changed,
    "length lies": length_lies,
    "spliced": spliced,
    "part missing": part_missing,
    "part twice": part_twice,
}
