"""The one place where an image file is opened: any usual file becomes eight-bit grey, or a reason why not.

A file is read once and decoded from memory; what it is, its content says, not its name. Size is checked from the
header, before a pixel is decoded, so a small file that would unpack to gigabytes costs nothing.
"""

import dataclasses
import functools
import hashlib
import importlib.metadata
import os
import stat
import warnings
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageChops, UnidentifiedImageError

from cxrbench.base.errors import CxrbenchError
from cxrbench.images import dicom, dicom_display, features, limits
from cxrbench.images.limits import MAX_FILE_BYTES, MAX_PIXELS, Undecodable, check_size, told

FORMATS = ("JPEG", "PNG", "TIFF", "BMP", "GIF", "WEBP", "JPEG2000", "PPM")  # all that Pillow decodes itself
RESIZES = ("squash", "pad", "trim")
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


@dataclasses.dataclass(frozen=True, slots=True)
class Decoded:
    """An image and what its file says of it."""

    grey: Image.Image  # mode L, upright; a JPEG may be smaller than its file says
    width: int  # pixels of the upright image in full
    height: int
    header: dicom.Header  # the mode as stored: Pillow's name, or DICOM's photometric interpretation and bits


@functools.cache
def version() -> str:
    """A hash of what decides the pixels: this code and the decoders."""
    sources = [Path(str(module.__file__)).read_bytes() for module in (dicom, dicom_display, features, limits)]
    libraries = ("pillow", "pydicom", "pylibjpeg-libjpeg", "pylibjpeg-openjpeg", "pylibjpeg-rle")
    names = "\n".join(importlib.metadata.version(name) for name in libraries)
    return hashlib.sha256(b"\n".join([Path(__file__).read_bytes(), *sources, names.encode()])).hexdigest()


def decode(path: str | os.PathLike[str], at_least_px: int | None = None) -> Image.Image:
    """The upright image in mode L; with ``at_least_px`` a JPEG may come smaller, no side below that."""
    name = os.fspath(path)
    return decoded(name, contents(name), at_least_px).grey


def load_square(path: str | os.PathLike[str], size_px: int, resize: str, sha256: str | None = None) -> np.ndarray:
    """uint8 [size_px, size_px], 0 black to 255 white.

    ``resize`` is 'squash' (both sides to ``size_px``), 'trim' (the same without a uniform margin) or 'pad' (aspect
    ratio kept, black on the short sides).
    CxrbenchError where the file's bytes are not those of ``sha256``.
    """
    if resize not in RESIZES:
        raise ValueError(f"resize is {resize!r}; known are {', '.join(RESIZES)}")
    name = os.fspath(path)
    data = contents(name)
    if sha256 is not None and (now := hashlib.sha256(data).hexdigest()) != sha256:
        raise CxrbenchError(
            f"{name} has changed since the manifest was made: its sha256 is {now[:12]}..., the manifest has"
            f" {sha256[:12]}...; run 'dvc repro -f download'"
        )
    image = decoded(name, data, at_least_px=2 * size_px).grey  # twice: then the decoder's halving hardly shows
    bilinear = Image.Resampling.BILINEAR  # widens with the reduction, so it averages over area
    if resize == "trim":
        image = _without_margin(image)
    if resize != "pad":
        return np.asarray(image.resize((size_px, size_px), bilinear))
    scale = size_px / max(image.size)
    width, height = (max(1, round(side * scale)) for side in image.size)
    canvas = Image.new("L", (size_px, size_px))
    canvas.paste(image.resize((width, height), bilinear), ((size_px - width) // 2, (size_px - height) // 2))
    return np.asarray(canvas)


def _without_margin(image: Image.Image) -> Image.Image:
    """What a uniform margin surrounds; the whole image where hardly anything would be left."""
    left, top, right, bottom = features.inside(np.asarray(image))
    return image.crop((left, top, right, bottom)) if min(right - left, bottom - top) >= limits.MIN_SIDE_PX else image


def contents(path: str) -> bytes:
    """The bytes of a file that may be an image; raises Undecodable where it is absent, empty or too large."""
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


def decoded(path: str, data: bytes, at_least_px: int | None = None) -> Decoded:
    """The image in a file's bytes; raises Undecodable with the reason. ``path`` is only for that."""
    if dicom.is_dicom(data):
        grey, header = dicom.read(path, data)
        return Decoded(grey, *grey.size, header)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow tells of each odd tag
        image = _open(path, data)
        mode, (width, height) = image.mode, image.size
        check_size(path, width, height)
        _load(path, image, at_least_px)
        orientation = _orientation(image)
        try:
            grey = _grey(image)
        except ValueError as error:
            raise Undecodable(path, "unsupported", f"mode {mode}: {error}") from None
    if orientation in UPRIGHT:
        grey = grey.transpose(UPRIGHT[orientation])
    if orientation in QUARTER_TURNS:
        width, height = height, width
    return Decoded(grey, width, height, dicom.Header(mode))


def _open(path: str, data: bytes) -> Image.Image:
    try:
        return Image.open(BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError:
        raise Undecodable(path, "too large", f"over {MAX_PIXELS} pixels") from None
    except UnidentifiedImageError:
        raise Undecodable(path, "not an image", f"none of {', '.join(FORMATS)}, DICOM") from None
    except Exception as error:
        raise Undecodable(path, "not an image", told(error)) from None


def _load(path: str, image: Image.Image, at_least_px: int | None) -> None:
    """Decodes the pixels, of a JPEG to its last byte at any scale."""
    # Decoders raise nearly anything on damaged bytes, and no file may stop a cohort: hence Exception.
    try:
        image.draft("L", (at_least_px, at_least_px) if at_least_px else None)  # no effect on other formats
        image.load()
    except MemoryError:
        raise Undecodable(path, "too large", "its pixels do not fit in memory") from None
    except Exception as error:
        raise Undecodable(path, "truncated", told(error)) from None


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
    if image.mode == "CMYK" and image.format == "JPEG" and "adobe" not in image.info:
        image = ImageChops.invert(image)  # Pillow takes every such JPEG for Adobe's, which stores ink inverted
    return image.convert("L")
