"""MIMIC-CXR-JPG 2.x as PhysioNet lays it out (Johnson et al. 2019, arXiv:1901.07042).

The tables decide which images there are; a listed file that is not on the disk becomes a reject, so that
a partly downloaded set is seen for what it is.
"""

from pathlib import Path

from cxrbench.cohorts.found import PART_NAMES, Found, check_folder
from cxrbench.cohorts.source_csv import read_source_csv
from cxrbench.errors import CxrbenchError
from cxrbench.views.metadata import view_of


def read(root: Path) -> list[Found]:
    """Every image that the metadata table lists, labelled by its study's CheXpert findings."""
    check_folder(root, "files/ and the mimic-cxr-2*.csv.gz tables")
    metadata = read_source_csv(
        _table(root, "metadata"), ("dicom_id", "subject_id", "study_id"), optional=("ViewPosition",)
    )
    findings = read_source_csv(_table(root, "chexpert"), ("study_id", "No Finding", "Pneumonia"))
    labels = {
        study: _label(none, pneumonia)
        for study, none, pneumonia in zip(findings["study_id"], findings["No Finding"], findings["Pneumonia"])
    }
    parts = _parts(root)
    return [
        Found(
            path=root / "files" / f"p{subject[:2]}" / f"p{subject}" / f"s{study}" / f"{dicom}.jpg",
            image_id=dicom,
            label=labels.get(study, ""),
            view_position=position,
            view=view_of(position),
            patient_id=subject,
            study_id=study,
            source_part=parts.get(dicom, ""),
        )
        for dicom, subject, study, position in zip(
            metadata["dicom_id"], metadata["subject_id"], metadata["study_id"], metadata["ViewPosition"]
        )
    ]


def _label(no_finding: str, pneumonia: str) -> str:
    """CheXpert writes 1.0 for present, 0.0 for absent, -1.0 for uncertain, nothing for not mentioned."""
    if _present(pneumonia):
        return "pneumonia"
    return "normal" if _present(no_finding) else ""


def _present(finding: str) -> bool:
    return finding in ("1.0", "1")


def _parts(root: Path) -> dict[str, str]:
    """The source's own part of each image, where the split table is there."""
    if not _tables(root, "split"):
        return {}
    path = _table(root, "split")
    rows = read_source_csv(path, ("dicom_id", "split"))
    strange = sorted(set(rows["split"]) - set(PART_NAMES))
    if strange:
        raise CxrbenchError(f"table {path} has split '{strange[0]}'; it must be train, validate or test")
    return dict(zip(rows["dicom_id"], rows["split"].map(PART_NAMES)))


def _table(root: Path, name: str) -> Path:
    paths = _tables(root, name)
    if not paths:
        raise CxrbenchError(
            f"root {root} holds no mimic-cxr-2*-{name}.csv or .csv.gz; set the cohort's root to the folder of"
            " MIMIC-CXR-JPG that holds files/ and its tables"
        )
    return paths[-1]  # the newest release


def _tables(root: Path, name: str) -> list[Path]:
    return sorted([*root.glob(f"mimic-cxr-2*-{name}.csv"), *root.glob(f"mimic-cxr-2*-{name}.csv.gz")])
