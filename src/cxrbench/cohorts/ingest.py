"""Opens every file that a reader lists, once, and divides them into the manifest and the rejects."""

import os
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from pathlib import Path

import pandas as pd

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.tables import TABLES
from cxrbench.cohorts.listing import SourceImage
from cxrbench.cohorts.view_position import view_of
from cxrbench.images.examine import Picture, examine
from cxrbench.images.limits import Undecodable
from cxrbench.images.parallel import map_files

FRAME_ROWS = 4096  # a frame holds a row in half the memory of a dictionary


def ingest(
    cohort: str,
    listed: Iterable[SourceImage],
    workers: int = 0,
    advance: Callable[[int, str], None] = lambda steps, detail: None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables 'manifest' (sorted by image_id) and 'rejects' (by path); each file is in exactly one of them.

    ``advance(1, "")`` is called after each file; the result does not depend on ``workers``. With 0 workers files are
    decoded in this process, which a decoder's crash would end; any other number protects it (see parallel.py).
    """
    ordered = sorted(listed, key=lambda image: image.image_id)
    _refuse_twins(cohort, ordered)
    frames, images, rejects = [], [], []
    for image, decoded in zip(ordered, map_files(examine, [str(image.path) for image in ordered], workers)):
        path = _writable(image.path)
        if path != str(image.path):
            rejects.append((cohort, path, "unsupported", "no table can hold such a name; rename it"))
        elif isinstance(decoded, Undecodable):
            rejects.append((cohort, path, decoded.reason, decoded.detail))
        else:
            images.append(_row(cohort, image, decoded))
        if len(images) == FRAME_ROWS:
            frames.append(pd.DataFrame(images))
            images = []
        advance(1, "")
    if images or not frames:
        frames.append(pd.DataFrame(images, columns=list(TABLES["manifest"])))
    return (
        pd.concat(frames, ignore_index=True),
        pd.DataFrame(sorted(rejects), columns=list(TABLES["rejects"])),
    )


def _row(cohort: str, image: SourceImage, picture: Picture) -> dict[str, str | int | float]:
    """What the source says of this image comes first, then its DICOM header, then what holds for the whole cohort."""
    of_header = "" if image.view_position else view_of(picture.view_position)
    view_position = image.view_position or picture.view_position
    patient_id = image.patient_id or picture.patient_id or image.image_id
    return {
        "cohort": cohort,
        "image_id": image.image_id,
        "path": str(image.path),
        "sha256": picture.sha256,
        "phash": picture.phash,
        "width": picture.width,
        "height": picture.height,
        "mode": picture.mode,
        "bytes": picture.bytes,
        "brightness": picture.brightness,
        "border": picture.border,
        "label": image.label,
        "view_position": view_position,
        "view": of_header or image.view or view_of(view_position),
        "patient_id": patient_id,
        "patient_id_loose": image.patient_id_loose or patient_id,
        "study_id": image.study_id or picture.study_id,
        "source_part": image.source_part,
    }


def _writable(path: Path) -> str:
    """The path as a table can hold it: other than itself where it is no UTF-8 or would end a line."""
    return os.fsencode(path).decode("utf-8", "backslashreplace").replace("\r", "\\r")


def _refuse_twins(cohort: str, ordered: Sequence[SourceImage]) -> None:
    for one, other in pairwise(ordered):
        if one.image_id == other.image_id:
            raise CxrbenchError(
                f"cohort '{cohort}' has two images named '{one.image_id}' ({one.path} and {other.path});"
                " remove one of them from its table"
            )
