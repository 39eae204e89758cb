"""MIMIC-CXR-JPG 2.x as PhysioNet lays it out (Johnson et al. 2019, arXiv:1901.07042).

The tables decide which images there are; a listed file that is not on the disk becomes a reject, so that
a partly downloaded set is seen for what it is.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from cxrbench.base.errors import CxrbenchError
from cxrbench.cohorts.found import PART_NAMES, Found, Tell, check_folder, told_to_nobody
from cxrbench.cohorts.source_csv import read_source_csv
from cxrbench.cohorts.view_position import view_of

PLAIN = r"[0-9A-Za-z_-]+"  # what a key may be made of


def read(root: Path, per_label: int | None = None, seed: int = 0, tell: Tell = told_to_nobody) -> list[Found]:
    """The images that the metadata table lists, labelled by their study's CheXpert findings.

    With ``per_label`` only a subset: patients drawn by ``seed``, never with more images of a label than that.
    """
    images = listed(root)
    if per_label is not None:
        chosen = drawn(images, per_label, seed)
        tell("images beyond per_label", len(images) - int(chosen.sum()))
        images = images[chosen]
    files = root / "files"
    patients = {name: files / f"p{name[:2]}" / f"p{name}" for name in images["subject_id"].unique()}
    names = ("subject_id", "study_id", "dicom_id", "label", "ViewPosition", "view", "part")
    return [
        Found(
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
    ]


def listed(root: Path) -> pd.DataFrame:
    """The metadata table, a row an image, with its label, view and part."""
    check_folder(root, "files/ and the mimic-cxr-2*.csv.gz tables")
    images = read_source_csv(
        _table(root, "metadata"), ("dicom_id", "subject_id", "study_id"), optional=("ViewPosition",)
    )
    for column in ("dicom_id", "subject_id", "study_id"):
        strange = images[column][~images[column].str.fullmatch(PLAIN)]
        if len(strange):  # these become paths
            raise CxrbenchError(f"table {_table(root, 'metadata')} has {column} '{strange.iloc[0]}'; fetch it anew")
    findings = read_source_csv(_table(root, "chexpert"), ("study_id", "No Finding", "Pneumonia"))
    # CheXpert writes 1.0 for present, 0.0 for absent, -1.0 for uncertain, nothing for not mentioned. Only 'present'
    # makes a label; where both are present, what was found stands above that nothing was.
    present = {name: findings[name].isin(["1.0", "1"]) for name in ("No Finding", "Pneumonia")}
    label = np.select([present["Pneumonia"], present["No Finding"]], ["pneumonia", "normal"], "")
    return images.assign(
        label=images["study_id"].map(dict(zip(findings["study_id"], label))).fillna(""),
        view=images["ViewPosition"].map({name: view_of(name) for name in images["ViewPosition"].unique()}),
        part=images["dicom_id"].map(_parts(root)).fillna(""),
    )


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
