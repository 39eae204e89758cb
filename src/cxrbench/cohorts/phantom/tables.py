"""The tables beside the images: MIMIC-CXR-JPG 2.0.0's three, or the one of the COVID-19 comparison.

Column names and file names are those of MIMIC-CXR-JPG 2.0.0 (Johnson et al. 2019), so that one reader serves
the phantom and the data set itself.
"""

import csv
import gzip
import io
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from cxrbench.base.files import replaced_when_whole

CHECKSUMS = "SHA256SUMS.txt"  # PhysioNet's name
FINDINGS = (
    "Atelectasis",
    "Cardiomegaly",
    "Consolidation",
    "Edema",
    "Enlarged Cardiomediastinum",
    "Fracture",
    "Lung Lesion",
    "Lung Opacity",
    "No Finding",
    "Pleural Effusion",
    "Pleural Other",
    "Pneumonia",
    "Pneumothorax",
    "Support Devices",
)
METADATA = (
    "dicom_id",
    "subject_id",
    "study_id",
    "PerformedProcedureStepDescription",
    "ViewPosition",
    "Rows",
    "Columns",
    "StudyDate",
    "StudyTime",
    "ProcedureCodeSequence_CodeMeaning",
    "ViewCodeSequence_CodeMeaning",
    "PatientOrientationCodeSequence_CodeMeaning",
)


class Image(NamedTuple):
    """What the tables say of one image; every field as text."""

    dicom_id: str
    subject_id: str
    study_id: str
    path: str  # relative to the cohort's root
    part: str
    label: str
    view_position: str  # PA, AP, LATERAL, LL, or empty
    rows: str
    study_date: str
    findings: tuple[tuple[str, str], ...]  # name, CheXpert's 1.0 or -1.0
    sha256: str = ""  # of the file


def write_mimic_tables(root: Path, images: Sequence[Image]) -> None:
    """Writes metadata, labels and split below ``root``."""
    metadata, split, labels = [], [], {}
    for image in images:
        name, ids = "CHEST (PA AND LAT)", (image.subject_id, image.study_id)
        metadata.append(
            (image.dicom_id, *ids, name, image.view_position, image.rows, image.rows, image.study_date, "", "", "", "")
        )
        split.append((image.dicom_id, image.study_id, image.subject_id, image.part))
        found = dict(image.findings)
        labels[image.study_id] = (*ids, *(found.get(finding, "") for finding in FINDINGS))
    for table, columns, rows in (
        ("metadata", METADATA, metadata),
        ("chexpert", ("subject_id", "study_id", *FINDINGS), list(labels.values())),
        ("split", ("dicom_id", "study_id", "subject_id", "split"), split),
    ):
        # without a time stamp the same rows give the same bytes
        _write(root / f"mimic-cxr-2.0.0-{table}.csv.gz", gzip.compress(_csv(columns, rows), mtime=0))


def write_covid_table(root: Path, images: Sequence[Image]) -> None:
    """Writes covid345.csv below ``root``."""
    rows = [(image.path, image.part, image.label, image.subject_id) for image in images]
    _write(root / "covid345.csv", _csv(("path", "split", "label", "patient_id"), rows))


def write_checksums(root: Path, images: Sequence[Image]) -> None:
    """Writes SHA256SUMS.txt, of the images and of the tables below ``root``, in the form of sha256sum."""
    digests = {image.path: image.sha256 for image in images}
    digests |= {path.name: sha256(path.read_bytes()).hexdigest() for path in sorted(root.glob("*.csv*"))}
    _write(root / CHECKSUMS, "".join(f"{digest}  {path}\n" for path, digest in digests.items()).encode())


def is_whole(root: Path) -> bool:
    """Whether every file that SHA256SUMS.txt names is there as it was written."""
    try:
        lines = (root / CHECKSUMS).read_text(encoding="utf-8").splitlines()
        named = [line.split("  ", 1) for line in lines]
        return all(sha256((root / path).read_bytes()).hexdigest() == digest for digest, path in named)
    except (OSError, ValueError):
        return False


def _csv(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([columns, *rows])
    return text.getvalue().encode()


def _write(path: Path, content: bytes) -> None:
    with replaced_when_whole(path) as temporary:
        temporary.write_bytes(content)
