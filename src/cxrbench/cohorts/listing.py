"""What a reader says of one file before anybody has opened it, and what all readers share."""

import dataclasses
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

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

# How a reader says which files of a source it sets aside: what they are, how many.
Tell = Callable[[str, int], None]


def told_to_nobody(what: str, files: int) -> None:
    """The ``Tell`` of who does not ask."""


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """One file of a cohort; an empty string says that the source does not tell."""

    path: Path  # relative where the reader's root is
    image_id: str  # unique inside the cohort
    label: str = ""
    view_position: str = ""  # as the source writes it
    view: str = ""  # frontal | lateral
    patient_id: str = ""  # empty: ``ingest`` takes the DICOM header's, or the image for a patient of its own
    patient_id_loose: str = ""  # another reading of the source's key; empty: the same
    study_id: str = ""
    source_part: str = ""  # train | validation | test


def check_folder(root: Path, holds: str) -> None:
    """Refuses a root that is no folder; ``holds`` says what it should contain."""
    if not root.is_dir():
        state = "is not a folder" if root.exists() else "does not exist"
        raise CxrbenchError(f"root {root} {state}; set the cohort's root to the folder that holds {holds}")


def files_below(folder: Path) -> list[Path]:
    """Every file below ``folder``, sorted; what is no image is for ``ingest`` to say."""
    return sorted(path for path in folder.rglob("*") if not path.is_dir())


def unique_ids(names: Sequence[str]) -> list[str]:
    """The distinct ``names`` without their file endings, but for those that would then meet another."""
    stems = [str(PurePosixPath(name).with_suffix("")) if PurePosixPath(name).name else name for name in names]
    times = Counter(stems)
    taken = set(names)
    return [name if times[stem] > 1 or stem in taken else stem for name, stem in zip(names, stems)]
