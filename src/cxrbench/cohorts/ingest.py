"""Opens every file that a reader found, once, and divides them into the manifest and the rejects."""

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

import pandas as pd

from cxrbench.cohorts.decode import Picture, Undecodable, examine
from cxrbench.cohorts.found import Found
from cxrbench.cohorts.parallel import map_files
from cxrbench.errors import CxrbenchError
from cxrbench.manifest import TABLES


def ingest(
    cohort: str,
    founds: Iterable[Found],
    workers: int = 1,
    advance: Callable[[int, str], None] = lambda steps, detail: None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables 'manifest' (sorted by image_id) and 'rejects' (by path); each file is in exactly one of them.

    ``advance(1, "")`` is called after each file; the result does not depend on ``workers``.
    """
    ordered = sorted(founds, key=lambda found: found.image_id)
    _refuse_twins(cohort, ordered)
    images, rejects = [], []
    for found, seen in zip(ordered, map_files(examine, [str(found.path) for found in ordered], workers)):
        if isinstance(seen, Undecodable):
            rejects.append((cohort, str(found.path), seen.reason, seen.detail))
        else:
            images.append(_row(cohort, found, seen))
        advance(1, "")
    return (
        pd.DataFrame(images, columns=list(TABLES["manifest"])),
        pd.DataFrame(sorted(rejects), columns=list(TABLES["rejects"])),
    )


def _row(cohort: str, found: Found, picture: Picture) -> dict[str, str | int]:
    return {
        "cohort": cohort,
        "image_id": found.image_id,
        "path": str(found.path),
        "sha256": picture.sha256,
        "width": picture.width,
        "height": picture.height,
        "mode": picture.mode,
        "bytes": picture.bytes,
        "label": found.label,
        "view_position": found.view_position,
        "view": found.view,
        "patient_id": found.patient_id or found.image_id,
        "study_id": found.study_id,
        "source_part": found.source_part,
    }


def _refuse_twins(cohort: str, ordered: Sequence[Found]) -> None:
    for one, other in pairwise(ordered):
        if one.image_id == other.image_id:
            raise CxrbenchError(
                f"cohort '{cohort}' has two images named '{one.image_id}' ({one.path} and {other.path});"
                " remove one of them from its table"
            )
