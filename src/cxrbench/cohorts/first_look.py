"""What a folder of one's own holds, before any file of it is opened: its classes, its parts, perhaps its patients."""

import dataclasses
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock

from cxrbench.base import workspace
from cxrbench.base.errors import CxrbenchError
from cxrbench.base.folders import list_folders
from cxrbench.base.labels import normal_label
from cxrbench.base.tables import PARTS
from cxrbench.cohorts import names
from cxrbench.cohorts.listing import Listing
from cxrbench.cohorts.reader import find, opened
from cxrbench.config.checked import check
from cxrbench.config.cohort import Cohort

HEALTHY = {
    *("normal", "normals", "healthy", "negative", "neg", "control", "controls", "no finding", "no_finding", "0"),
    *("정상", "정상군", "음성", "대조군", "건강", "소견 없음", "이상 없음", "이상없음"),
}


@dataclasses.dataclass(frozen=True)
class FirstLook:
    """A cohort of params.yaml, and lines on what was found for the person who named the folder."""

    cohort: dict[str, Any]
    lines: list[str]


def look(folder: str, positive: str | None, negative: str | None, given: Mapping[str, Any]) -> FirstLook:
    """Reads the names of the files in ``folder``, or in its .zip, which is unpacked once.

    ``given`` are other keys of the cohort: its table, its columns, the form of its file names.
    CxrbenchError where it has no classes, or where it is not plain which two are meant.
    """
    root, told = Path(folder).expanduser().resolve(), {key: value for key, value in given.items() if value}
    check(Cohort, {"source": "directory", "root": str(root), "positive": "a", "negative": "b"} | told)
    pair: dict[str, Any] = {
        key: normal_label(label or "") for key, label in (("positive", positive), ("negative", negative))
    }
    listing = find("directory", _opened(root), **told, **pair)
    counts = Counter(image.label for image in listing.images)
    two = _two_labels(root, counts, positive, negative)
    cohort: dict[str, Any] = {"source": "directory", "root": str(root), "positive": two[0], "negative": two[1]}
    cohort |= {"view": "frontal"} | told
    return FirstLook(cohort, [_counts(root, counts, listing), *listing.notes, *_pair(two), *_patients(listing)])


def _opened(root: Path) -> Path:
    if root.is_file() and root.suffix.lower() != ".zip":
        raise CxrbenchError(f"{root} is a file; name the folder that holds a sub-folder for each class, or its .zip")
    store = workspace.fetched_dir()
    store.mkdir(parents=True, exist_ok=True)
    with FileLock(store / "lock"):  # as stage download does
        return opened("directory", root, store, 0)


def _two_labels(root: Path, counts: Counter[str], positive: str | None, negative: str | None) -> tuple[str, str]:
    named = [normal_label(label) if label is not None else None for label in (positive, negative)]
    for label in named:
        if label is not None and label not in counts:
            raise CxrbenchError(f"{root} has no class '{label}'; its classes are {_listed(counts)}")
    if len(counts) == 2 and named != [None, None] and None in named:
        other = next(label for label in counts if label not in named)
        named = [label or other for label in named]
    healthy = [label for label in counts if label in HEALTHY]
    if len(counts) == 2 and len(healthy) == 1 and named == [None, None]:
        named = [next(label for label in counts if label not in healthy), healthy[0]]
    if named[0] is None or named[1] is None:
        if len(counts) == 1:
            inside = [folder for one in list_folders(root) for folder in list_folders(one)] if root.is_dir() else []
            advice = f"did you mean {inside[0].parent}?" if len(inside) > 1 else "a study needs two"
            raise CxrbenchError(f"{root} holds one class, {_listed(counts)}; {advice}")
        raise CxrbenchError(
            f"{root} holds {_listed(counts)}; say which two to tell apart: --positive LABEL --negative LABEL"
        )
    return named[0], named[1]


def _counts(root: Path, counts: Counter[str], listing: Listing) -> str:
    parts = {image.source_part for image in listing.images} - {""}
    own = f"; its own parts are {', '.join(part for part in PARTS if part in parts)}" if parts else ""
    skipped = "".join(f"; skipped: {count:,} {kind}" for kind, count in listing.skipped.items() if count)
    return f"{root}: {_listed(counts)}{own}{skipped}"


def _pair(pair: tuple[str, str]) -> list[str]:
    return [f"a network will be taught to find '{pair[0]}' (positive) among '{pair[1]}' (negative)"]


def _patients(listing: Listing) -> list[str]:
    if known := {image.patient_id for image in listing.images} - {""}:
        return [f"patients: {len(known):,}"]
    lines = [
        "patients: unknown, so each image counts as a patient of its own, unless it is a DICOM file that names him"
    ]
    if likely := names.likely_form([image.path.as_posix() for image in listing.images]):
        form, (first, second) = likely
        lines.append(
            f"  if {first} and {second} are of one person, give the command again, with --replace --file-names '{form}'"
        )
    return lines


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{label or 'no label'} ({count:,})" for label, count in counts.most_common(8)) + (
        f" and {len(counts) - 8} others" if len(counts) > 8 else ""
    )
