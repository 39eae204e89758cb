"""PneumoniaMNIST of MedMNIST+ (Yang et al. 2023, doi:10.1038/s41597-022-01721-8): Kermany's images, cropped and small.

It comes as arrays in one .npz; they are written once as PNG files, class folders inside part folders, which is what
everything else reads. The arrays say nothing of patients, so each image counts as a patient of its own.
"""

import errno
import os
import shutil
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from cxrbench.base.errors import CxrbenchError
from cxrbench.cohorts.listing import Listing
from cxrbench.cohorts.sources import directory

PARTS = ("train", "val", "test")
LABELS = ("normal", "pneumonia")
DAMAGED = (ValueError, KeyError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error)  # what a damaged .npz raises


def read(root: Path) -> Listing:
    """Every image of a folder that ``write_tree`` wrote."""
    return directory.read(root, view="frontal")


def write_tree(
    arrays: Path, folder: Path, size_px: int, advance: Callable[[int, str], None] = lambda images, detail: None
) -> Path:
    """Writes train, val and test of a .npz below ``folder``, whole or not at all; returns ``folder``.

    arrays: {train,val,test}_images uint8 [n, size_px, size_px], 0 black to 255 white, and _labels [n, 1], 0 or 1.
    """
    if not zipfile.is_zipfile(arrays):
        raise CxrbenchError(
            f"{arrays} is no .npz of arrays; set the cohort's root to PneumoniaMNIST's, or fetch it again"
        )
    temporary = folder.with_name(f"{folder.name}.tmp-{os.getpid()}")
    try:
        with np.load(arrays, allow_pickle=False) as content:  # a pickle may run anything
            for part in PARTS:
                _write_part(content, arrays, temporary / part, part, size_px, advance)
        os.replace(temporary, folder)
    except (OSError, *DAMAGED) as error:
        if isinstance(error, OSError) and error.errno != errno.EINVAL:  # which a place before the file's start gives
            raise
        raise CxrbenchError(f"{arrays} is no PneumoniaMNIST ({error}); fetch it again") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return folder


def _write_part(
    content: Mapping[str, np.ndarray],
    arrays: Path,
    folder: Path,
    part: str,
    size_px: int,
    advance: Callable[[int, str], None],
) -> None:
    images, labels = content[f"{part}_images"], content[f"{part}_labels"].ravel()
    if images.dtype != np.uint8 or images.shape != (len(labels), size_px, size_px):
        raise CxrbenchError(
            f"{arrays} holds {part}_images {images.dtype} {list(images.shape)} for {len(labels)} labels, but size is"
            f" {size_px}; correct the cohort's size or its root"
        )
    for label in LABELS:
        (folder / label).mkdir(parents=True)
    for number, (image, label) in enumerate(zip(images, labels)):
        if label not in (0, 1):
            raise CxrbenchError(f"{arrays} has label {label} at {part} {number}; 0 is normal and 1 pneumonia")
        Image.fromarray(image).save(folder / LABELS[int(label)] / f"{number:05}.png")
        advance(1, "")
