"""What a reader says of a source's files before anybody has opened one, and what all readers share."""

import dataclasses
import posixpath
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath

from cxrbench.base.errors import CxrbenchError

# How sources name their parts -> how our tables do. 'validate' is MIMIC-CXR-JPG's word, 'val' Kaggle's.
PART_NAMES = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validate": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}
TOOL_FILES = "hidden files and files of tools"  # a kind of skipped files; see base/folders.py


@dataclasses.dataclass(frozen=True, slots=True)
class SourceImage:
    """One file of a cohort; an empty string says that the source does not tell."""

    path: Path  # relative where the reader's root is
    image_id: str  # unique inside the cohort
    label: str = ""  # as base/labels.py writes it
    view_position: str = ""  # as the source writes it
    view: str = ""  # frontal | lateral
    patient_id: str = ""  # empty: ``ingest`` takes the DICOM header's, or the image for a patient of its own
    patient_id_loose: str = ""  # another reading of the source's key; empty: the same
    study_id: str = ""
    source_part: str = ""  # train | validation | test


@dataclasses.dataclass(frozen=True, slots=True)
class Listing:
    """What a reader lists: the cohort's files, what it skipped, and sentences that the user should read."""

    images: list[SourceImage]
    skipped: dict[str, int] = dataclasses.field(default_factory=dict)  # kind of file -> number of files
    notes: tuple[str, ...] = ()


def check_folder(root: Path, holds: str) -> None:
    """Refuses a root that is no folder; ``holds`` says what it should contain."""
    if not root.is_dir():
        state = "is not a folder" if root.exists() else "does not exist"
        raise CxrbenchError(f"root {root} {state}; set the cohort's root to the folder that holds {holds}, or its .zip")


def path_below(root: Path, text: str, where: str) -> str:
    """A path of a table, relative to ``root``, with '/' between its parts; ``where`` names the cell for the error.

    The rule for every table: a path is relative to the cohort's root, or absolute and below it. A backslash separates
    folders as '/' does. '..' and drives are refused. Links are followed wherever they lead: they are the user's own.
    """
    slashed = text.replace("\\", "/")
    path = PurePosixPath(slashed)
    if path.is_absolute():
        for folder in (root, root.absolute(), root.resolve()):
            if path.is_relative_to(folder.as_posix()):
                path = path.relative_to(folder.as_posix())
                break
    if path.is_absolute() or PureWindowsPath(slashed).drive or ".." in path.parts or not path.parts:
        raise CxrbenchError(
            f"{where} has path '{text}', which does not lie below the cohort's root {root}; write paths relative to"
            " the root, or set the root to a folder above all images"
        )
    return path.as_posix()


def unique_ids(names: Sequence[str]) -> list[str]:
    """The distinct ``names`` without their file endings, but for those that would then meet another."""
    # Not pathlib's with_suffix: what it takes for the ending of '..png' depends on Python's version.
    stems = [str(PurePosixPath(posixpath.splitext(name)[0])) for name in names]
    times = Counter(stems)
    taken = set(names)
    return [name if times[stem] > 1 or stem in taken else stem for name, stem in zip(names, stems)]
