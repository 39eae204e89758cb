"""MIMIC-CXR-JPG 2.x as PhysioNet lays it out (Johnson et al. 2019, arXiv:1901.07042).

The tables decide which images there are; a listed file that is not on the disk becomes a reject, so that
a partly downloaded set is seen for what it is.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from cxrbench.base.errors import CxrbenchError
from cxrbench.cohorts.identifiers import identifiers, one_row_each
from cxrbench.cohorts.listing import PART_NAMES, Listing, SourceImage, check_folder
from cxrbench.cohorts.source_table import read_source_table
from cxrbench.cohorts.view_position import view_of

KEYS = ("dicom_id", "subject_id", "study_id")
PLAIN = r"[0-9A-Za-z_-]+"  # what a key may be made of


def read(root: Path, per_label: int | None = None, seed: int = 0) -> Listing:
    """The images that the metadata table lists, labelled by their study's CheXpert findings.

    With ``per_label`` only a subset: patients drawn by ``seed``, never with more images of a label than that.
    """
    images = listed(root)
    skipped = {}
    if per_label is not None:
        chosen = drawn(images, per_label, seed)
        skipped["images beyond per_label"] = len(images) - int(chosen.sum())
        images = images[chosen]
    files = root / "files"
    patients = {name: files / f"p{name[:2]}" / f"p{name}" for name in images["subject_id"].unique()}
    names = ("subject_id", "study_id", "dicom_id", "label", "ViewPosition", "view", "part")
    return Listing(
        [
            SourceImage(
                path=patients[subject] / f"s{study}/{dicom}.jpg",
                image_id=dicom,
                label=label,
                view_position=position,
                view=view,
                patient_id=subject,
                study_id=study,
                source_part=part,
            )
            for subject, study, dicom, label, position, view, part in zip(*(images[name].tolist() for name in names))
        ],
        skipped,
    )


def listed(root: Path) -> pd.DataFrame:
    """The metadata table, a row an image, with its label, view and part."""
    check_folder(root, "files/ and the mimic-cxr-2*.csv.gz tables")
    table = _table(root, "metadata")
    images = read_source_table(table, KEYS, ("ViewPosition",)).rows
    for column in KEYS:
        images[column] = identifiers(images[column], column, table)
        strange = images[column][~images[column].str.fullmatch(PLAIN)]
        if len(strange):  # these become paths
            raise CxrbenchError(
                f"table {table} has {column} '{strange.iloc[0]}' in line {strange.index[0]}; fetch it anew"
            )
    images = one_row_each(images, "dicom_id", ("subject_id", "study_id", "ViewPosition"), table)
    return images.assign(
        label=images["study_id"].map(_labels(root, table, images["study_id"])).fillna(""),
        view=images["ViewPosition"].map({name: view_of(name) for name in images["ViewPosition"].unique()}),
        part=images["dicom_id"].map(_parts(root)).fillna(""),
    )


def _labels(root: Path, metadata: Path, studies: pd.Series) -> dict[str, str]:
    """study_id -> label. CheXpert writes 1.0 for present, 0.0 absent, -1.0 uncertain, nothing for not mentioned.

    Only 'present' makes a label; where both findings are present, pneumonia stands above 'No Finding'.
    """
    table = _table(root, "chexpert")
    findings = read_source_table(table, ("study_id", "No Finding", "Pneumonia")).rows
    present = {name: findings[name].isin(["1.0", "1"]) for name in ("No Finding", "Pneumonia")}
    label = np.select([present["Pneumonia"], present["No Finding"]], ["pneumonia", "normal"], "")
    rows = findings.assign(study_id=identifiers(findings["study_id"], "study_id", table), label=label)
    rows = one_row_each(rows, "study_id", ("label",), table)
    if not rows["study_id"].isin(set(studies)).any():
        raise CxrbenchError(
            f"table {table} has no study_id of {metadata} (the first are '{rows['study_id'].iloc[0]}' and"
            f" '{studies.iloc[0]}'), so no image has a label; take both tables from one release"
        )
    return dict(zip(rows["study_id"], rows["label"]))


def drawn(images: pd.DataFrame, per_label: int, seed: int) -> np.ndarray:
    """bool [n]: which rows belong to the subset.

    Whole patients in random order, each taken unless a label would come to more than ``per_label`` images that are
    not lateral by the metadata. A patient brings every image of its labelled studies: the laterals too, which the
    view network learns from; studies without a label serve no run and stay out.
    """
    labelled = (images["label"] != "").to_numpy()
    counted = images[labelled & (images["view"] != "lateral").to_numpy()]
    counts = pd.crosstab(counted["subject_id"], counted["label"]).sort_index()  # whatever the order of the rows
    left = np.full(counts.shape[1], per_label)
    held = counts.to_numpy()
    taken = []
    for patient in np.random.default_rng(seed).permutation(len(counts)):
        if (held[patient] <= left).all():
            left -= held[patient]
            taken.append(patient)
    return labelled & images["subject_id"].isin(counts.index[taken]).to_numpy()


def _parts(root: Path) -> dict[str, str]:
    """The source's own part of each image, where the split table is there."""
    if not _tables(root, "split"):
        return {}
    path = _table(root, "split")
    rows = read_source_table(path, ("dicom_id", "split")).rows
    strange = sorted(set(rows["split"]) - set(PART_NAMES))
    if strange:
        raise CxrbenchError(f"table {path} has split '{strange[0]}'; it must be train, validate or test")
    rows = rows.assign(dicom_id=identifiers(rows["dicom_id"], "dicom_id", path))
    rows = one_row_each(rows, "dicom_id", ("split",), path)
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
