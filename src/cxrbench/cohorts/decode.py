"""The one place where an image file is opened: any usual file becomes eight-bit grey, or a reason why not.

A file is read once and decoded from memory. Size is checked from the header, before a pixel is decoded, so a
small file that would unpack to gigabytes costs nothing. Only formats that Pillow decodes itself are tried.
"""

import dataclasses
import hashlib
import os
import stat
from io import BytesIO
from typing import Any

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from cxrbench.errors import CxrbenchError

MIN_SIDE_PX = 16
MAX_SIDE_PX = 20_000
MAX_PIXELS = 178_956_970  # where Pillow, too, refuses to open an image
MAX_FILE_BYTES = 512 * 2**20
FORMATS = ("JPEG", "PNG", "TIFF", "BMP", "GIF", "WEBP", "JPEG2000", "PPM")
DEEP_MODES = ("I", "F", "I;16", "I;16L", "I;16B", "I;16N")  # more than eight bits a pixel

# EXIF 2.32, tag 0x0112: what brings each stored orientation upright.
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
QUARTER_TURNS = (5, 6, 7, 8)


class Undecodable(CxrbenchError):
    """A file that cannot be used; ``reason`` is one of a few words, ``detail`` says more.

    Reasons: missing, empty, not an image, truncated, too small, too large, unsupported.
    """

    def __init__(self, path: str, reason: str, detail: str) -> None:
        super().__init__(f"{path} cannot be used: {reason} ({detail}); replace the file and run 'dvc repro'")
        self.path, self.reason, self.detail = path, reason, detail

    def __reduce__(self) -> tuple[Any, ...]:
        return Undecodable, (self.path, self.reason, self.detail)  # so that it passes between processes


@dataclasses.dataclass(frozen=True, slots=True)
class Picture:
    """What the manifest holds of a file that decodes; sizes are of the upright image."""

    sha256: str
    width: int  # pixels
    height: int  # pixels
    mode: str  # as stored, Pillow's name
    bytes: int


def decode(path: str | os.PathLike[str], at_least_px: int | None = None) -> Image.Image:
    """The upright image in mode L; with ``at_least_px`` a JPEG may come smaller, no side below that."""
    name = os.fspath(path)
    return _decode(name, _contents(name), at_least_px)[0]


def load_square(path: str | os.PathLike[str], size_px: int, resize: str) -> np.ndarray:
    """uint8 [size_px, size_px], 0 black to 255 white.

    ``resize`` is 'squash' (both sides to ``size_px``) or 'pad' (aspect ratio kept, black on the short sides).
    """
    if resize not in ("squash", "pad"):
        raise ValueError(f"resize is {resize!r}; known are squash and pad")
    image = decode(path, at_least_px=2 * size_px)  # twice: then the decoder's coarse halving hardly shows
    bilinear = Image.Resampling.BILINEAR  # widens with the reduction, so it averages over area
    if resize == "squash":
        return np.asarray(image.resize((size_px, size_px), bilinear))
    scale = size_px / max(image.size)
    width, height = (max(1, round(side * scale)) for side in image.size)
    canvas = Image.new("L", (size_px, size_px))
    canvas.paste(image.resize((width, height), bilinear), ((size_px - width) // 2, (size_px - height) // 2))
    return np.asarray(canvas)


def examine(path: str) -> Picture | Undecodable:
    """Decodes a file to its last byte; a failure is returned, not raised, so that a pool of workers goes on.

    JPEG is decoded at an eighth of its size: all of the stream is read, most of the arithmetic is saved.
    """
    try:
        data = _contents(path)
        _, mode, (width, height) = _decode(path, data, at_least_px=1)
    except Undecodable as refusal:
        return refusal
    return Picture(hashlib.sha256(data).hexdigest(), width, height, mode, len(data))


def _contents(path: str) -> bytes:
    try:
        state = os.stat(path)
        if not stat.S_ISREG(state.st_mode):
            raise Undecodable(path, "not an image", "not a regular file")
        if state.st_size == 0:
            raise Undecodable(path, "empty", "0 bytes")
        if state.st_size > MAX_FILE_BYTES:
            raise Undecodable(path, "too large", f"{state.st_size} bytes; at most {MAX_FILE_BYTES}")
        with open(path, "rb") as file:
            return file.read()
    except (OSError, ValueError) as error:  # ValueError: a path no file system can hold
        raise Undecodable(path, "missing", getattr(error, "strerror", None) or str(error)) from None


def _decode(path: str, data: bytes, at_least_px: int | None) -> tuple[Image.Image, str, tuple[int, int]]:
    """The grey upright image, the stored mode and the upright size in full."""
    image = _open(path, data)
    mode, (width, height) = image.mode, image.size
    if min(width, height) < MIN_SIDE_PX:
        raise Undecodable(path, "too small", f"{width} x {height} pixels; at least {MIN_SIDE_PX} a side")
    if max(width, height) > MAX_SIDE_PX or width * height > MAX_PIXELS:
        raise Undecodable(path, "too large", f"{width} x {height} pixels; at most {MAX_SIDE_PX} a side, {MAX_PIXELS}")
    # Decoders raise nearly anything on damaged bytes, and no file may stop a cohort: hence Exception.
    try:
        image.draft("L", (at_least_px, at_least_px) if at_least_px else None)  # no effect on other formats
        image.load()
    except MemoryError:
        raise Undecodable(path, "too large", f"{width} x {height} pixels do not fit in memory") from None
    except Exception as error:
        raise Undecodable(path, "truncated", " ".join(str(error).split()) or type(error).__name__) from None
    orientation = _orientation(image)
    try:
        grey = _grey(image)
    except ValueError as error:
        raise Undecodable(path, "unsupported", f"mode {mode}: {error}") from None
    if orientation in UPRIGHT:
        grey = grey.transpose(UPRIGHT[orientation])
    return grey, mode, (height, width) if orientation in QUARTER_TURNS else (width, height)


def _open(path: str, data: bytes) -> Image.Image:
    if data[128:132] == b"DICM":
        raise Undecodable(path, "unsupported", "a DICOM file; convert it to PNG or JPEG")
    try:
        return Image.open(BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Undecodable(path, "too large", f"over {MAX_PIXELS} pixels") from None
    except UnidentifiedImageError:
        raise Undecodable(path, "not an image", f"none of {', '.join(FORMATS)}") from None
    except Exception as error:
        raise Undecodable(path, "not an image", " ".join(str(error).split()) or type(error).__name__) from None


def _orientation(image: Image.Image) -> int:
    """EXIF's orientation, read once the pixels are there: Pillow turns a TIFF itself and drops the tag."""
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # a picture with damaged EXIF is a picture all the same
        return 1


def _grey(image: Image.Image) -> Image.Image:
    """Mode L: transparency lies on black, deep pixels are stretched from their least value to their greatest.

    The stretch is each image's own, because files of 10, 12 and 16 used bits all call themselves 16-bit.
    """
    if image.mode in DEEP_MODES:
        values = np.asarray(image).astype(np.float32)
        low, high = float(values.min()), float(values.max())
        if not np.isfinite([low, high]).all():
            raise ValueError("pixels that are no numbers")
        values -= low  # in place: a large film would not fit several times
        values *= 255 / max(high - low, 1e-12)
        return Image.fromarray(np.rint(values, out=values).astype(np.uint8))
    if image.has_transparency_data:
        colour = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", colour.size, (0, 0, 0, 255)), colour).convert("L")
    return image.convert("L")
