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
from contextlib import suppress
from io import BytesIO

import numpy as np
from PIL import ExifTags, Image, ImageChops, ImageOps, UnidentifiedImageError

from cxrbench.base.code import Code
from cxrbench.base.errors import CxrbenchError
from cxrbench.base.workspace import image_file
from cxrbench.images import dicom
from cxrbench.images.limits import MAX_FILE_BYTES, MAX_PIXELS, MIN_SIDE_PX, Undecodable, cause, check_size
from cxrbench.images.margin import inside
from cxrbench.images.stretch import black_and_white

FORMATS = ("JPEG", "PNG", "TIFF", "BMP", "GIF", "WEBP", "JPEG2000", "PPM")  # all that Pillow decodes itself
RESIZES = ("squash", "pad", "trim")
DEEP_MODES = ("I", "F", "I;16", "I;16L", "I;16B", "I;16N")  # more than eight bits a pixel

SIDEWAYS = (5, 6, 7, 8)  # EXIF 2.32, tag 0x0112: the orientations of an image stored on its side
NEW_SUBFILE_TYPE, PHOTOMETRIC = 254, 262  # TIFF 6.0, section 8


@dataclasses.dataclass(frozen=True, slots=True)
class Decoded:
    """An image and what its file says of it."""

    grey: Image.Image  # mode L, upright; a JPEG may be smaller than its file says
    width: int  # pixels of the upright image in full
    height: int
    header: dicom.Header  # the mode as stored: Pillow's name, or DICOM's photometric interpretation and bits


def decoders() -> dict[str, str]:
    """The versions of the libraries that decode."""
    names = ("pillow", "pydicom", "pylibjpeg-libjpeg", "pylibjpeg-openjpeg", "pylibjpeg-rle")
    return {name: importlib.metadata.version(name) for name in names}


@functools.cache
def version() -> str:
    """A hash of what decides the pixels: what this module does with all it imports of its package, and the decoders."""
    code = Code([__name__.rpartition(".")[0]]).sha256(__name__)
    return hashlib.sha256(f"{code} {decoders()}".encode()).hexdigest()


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
    left, top, right, bottom = inside(np.asarray(image))
    return image.crop((left, top, right, bottom)) if min(right - left, bottom - top) >= MIN_SIDE_PX else image


def contents(path: str) -> bytes:
    """The bytes of a file that may be an image; raises Undecodable where it is absent, empty or too large."""
    try:
        file_path = image_file(path)
        state = os.stat(file_path)
        if not stat.S_ISREG(state.st_mode):
            raise Undecodable(path, "not an image", "not a regular file")
        if state.st_size == 0:
            raise Undecodable(path, "empty", "0 bytes")
        if state.st_size > MAX_FILE_BYTES:
            raise Undecodable(path, "too large", f"{state.st_size} bytes; at most {MAX_FILE_BYTES}")
        with open(file_path, "rb") as file:
            return file.read()
    except (OSError, ValueError) as error:  # ValueError: a path no file system can hold
        raise Undecodable(path, "missing", getattr(error, "strerror", None) or str(error)) from None


def decoded(path: str, data: bytes, at_least_px: int | None = None) -> Decoded:
    """The image in a file's bytes; raises Undecodable with the reason. ``path`` is only for that."""
    if dicom.is_dicom(data):
        grey, header = dicom.read(path, data)
        width, height = grey.size
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow tells of each odd tag
            image = _open(path, data)
            (width, height), header = image.size, dicom.Header(image.mode)
            check_size(path, width, height)
            _refuse_frames(path, image)
            _load(path, image, at_least_px)
            if _turn_upright(image):
                width, height = height, width
            grey = _grey(path, image)
    return Decoded(grey, width, height, header)


def _open(path: str, data: bytes) -> Image.Image:
    try:
        return Image.open(BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError:
        raise Undecodable(path, "too large", f"over {MAX_PIXELS} pixels") from None
    except UnidentifiedImageError:
        raise Undecodable(path, "not an image", f"none of {', '.join(FORMATS)}, DICOM") from None
    except Exception as error:
        raise Undecodable(path, "not an image", f"its header cannot be read{cause(error)}") from None


def _refuse_frames(path: str, image: Image.Image) -> None:
    """Refuses what holds several images, as a DICOM file of several is refused: no rule says which is meant.

    A reduced copy of the image in a TIFF file is not another image, nor what a JPEG file holds behind its first.
    """
    frames = 1
    with suppress(Exception):  # a page that cannot be found is none
        if image.format == "TIFF":
            pages = range(getattr(image, "n_frames", 1))
            frames = sum(not _tag(image, NEW_SUBFILE_TYPE, page) & 1 for page in pages)
        elif image.format != "MPO" and getattr(image, "is_animated", False):
            frames = getattr(image, "n_frames", 2)
    if image.format == "TIFF":
        image.seek(0)
    if frames > 1:
        raise Undecodable(path, "unsupported", f"{image.format} of {frames} frames or pages; a radiograph has one")


def _tag(image: Image.Image, tag: int, page: int = 0) -> int:
    """A TIFF page's tag, 0 where it has none."""
    image.seek(page)
    return int(getattr(image, "tag_v2", {}).get(tag, 0))


def _load(path: str, image: Image.Image, at_least_px: int | None) -> None:
    """Decodes the pixels, of a JPEG to its last byte at any scale."""
    # Decoders raise nearly anything on damaged bytes, and no file may stop a cohort: hence Exception.
    try:
        image.draft("L", (at_least_px, at_least_px) if at_least_px else None)  # no effect on other formats
        image.load()
    except MemoryError:
        raise Undecodable(path, "too large", "its pixels do not fit in memory") from None
    except Exception as error:
        raise Undecodable(path, "truncated", f"its pixels cannot be decoded{cause(error)}") from None


def _turn_upright(image: Image.Image) -> bool:
    """Turns the image as EXIF says, and says whether its sides change places.

    After the pixels are decoded: Pillow turns a TIFF itself and drops the tag.
    """
    sideways = False
    with suppress(Exception):  # a picture with damaged EXIF is a picture all the same
        sideways = image.getexif().get(ExifTags.Base.Orientation) in SIDEWAYS
        ImageOps.exif_transpose(image, in_place=True)
    return sideways


def _grey(path: str, image: Image.Image) -> Image.Image:
    """Mode L: transparency lies on black, deep pixels are stretched over what the image holds."""
    if image.mode in DEEP_MODES:
        return _from_deep(path, image)
    if image.has_transparency_data:
        colour = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", colour.size, (0, 0, 0, 255)), colour)
    elif image.mode == "CMYK" and image.format == "JPEG" and "adobe" not in image.info:
        image = ImageChops.invert(image)  # Pillow takes every such JPEG for Adobe's, which stores ink inverted
    try:
        return image.convert("L")
    except ValueError:
        raise Undecodable(path, "unsupported", f"mode {image.mode} has no grey; save it as RGB") from None


def _from_deep(path: str, image: Image.Image) -> Image.Image:
    """Mode L of pixels of more than eight bits."""
    values = np.asarray(image).astype(np.float32)
    if not np.isfinite([values.min(), values.max()]).all():
        raise Undecodable(path, "unsupported", f"mode {image.mode} with pixels that are no numbers")
    if image.format == "TIFF" and _tag(image, PHOTOMETRIC) == 0:  # white is zero; Pillow inverts eight bits only
        np.negative(values, out=values)
    low, high = black_and_white(values)
    values -= low  # in place: a large image would not fit several times
    values *= 255 / max(high - low, 1e-12)
    return Image.fromarray(np.clip(np.rint(values, out=values), 0, 255, out=values).astype(np.uint8))
