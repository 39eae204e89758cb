"""One look at a file gives everything that the manifest holds of it."""

import dataclasses
import hashlib

import numpy as np

from cxrbench.images.decode import contents, decoded
from cxrbench.images.limits import Undecodable
from cxrbench.images.margin import border, brightness
from cxrbench.images.perceptual import phash

AT_LEAST_PX = 64  # a side, of a JPEG decoded at reduced scale: twice what the perceptual hash reduces a picture to


@dataclasses.dataclass(frozen=True, slots=True)
class Picture:
    """What the manifest holds of a file that decodes; sizes are of the upright image."""

    sha256: str
    phash: str
    width: int  # pixels
    height: int  # pixels
    mode: str  # as stored: Pillow's name, or such as 'DICOM MONOCHROME1 12-bit'
    bytes: int
    brightness: float  # mean grey, 0 black to 255 white
    border: float  # share of the area that is a uniform margin
    view_position: str = ""  # of a DICOM header, as are the next two
    patient_id: str = ""
    study_id: str = ""


def examine(path: str) -> Picture | Undecodable:
    """Decodes a file once, to its last byte; a refusal is returned, not raised, so that a pool of workers goes on.

    JPEG is decoded at down to an eighth of its size: all of the stream is read, most of the arithmetic is saved.
    """
    try:
        data = contents(path)
        seen = decoded(path, data, AT_LEAST_PX)
    except Undecodable as refusal:
        return refusal
    grey = np.asarray(seen.grey)
    if grey.min() == grey.max():
        return Undecodable(path, "one grey", f"all pixels are {grey[0, 0]} of 0 to 255: it shows nothing")
    return Picture(
        sha256=hashlib.sha256(data).hexdigest(),
        phash=phash(seen.grey),
        width=seen.width,
        height=seen.height,
        mode=seen.header.mode,
        bytes=len(data),
        brightness=brightness(grey),
        border=border(grey),
        view_position=seen.header.view_position,
        patient_id=seen.header.patient_id,
        study_id=seen.header.study_id,
    )
