import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.metrics import roc_auc_score

from cxrbench.cohorts.phantom.chest import random_person
from cxrbench.cohorts.phantom.patient import random_study, render
from cxrbench.cohorts.phantom.plan import image_count
from cxrbench.cohorts.phantom.tables import FINDINGS, METADATA
from cxrbench.cohorts.phantom.tree import write_tree

SCALE, SIZE, SEED = 0.02, 40, 3


def digests(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def table(root: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(root / f"mimic-cxr-2.0.0-{name}.csv.gz", dtype="str", keep_default_na=False)


@pytest.fixture(scope="module")
def tree(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("phantom")
    write_tree(root, "pneumonia", SCALE, SIZE, SEED, workers=1)
    return root


def test_the_bytes_do_not_depend_on_the_number_of_workers(tree, tmp_path):
    seen = []
    write_tree(tmp_path, "pneumonia", SCALE, SIZE, SEED, workers=2, advance=lambda images, _: seen.append(images))
    assert digests(tmp_path) == digests(tree)
    assert sum(seen) == image_count("pneumonia", SCALE, SEED)


def test_another_seed_gives_other_images(tree, tmp_path):
    write_tree(tmp_path, "pneumonia", 0.002, SIZE, SEED + 1, workers=1)
    assert not set(digests(tmp_path).values()) & set(digests(tree).values())


def test_the_tables_have_the_columns_of_mimic_cxr_jpg(tree):
    assert tuple(table(tree, "metadata").columns) == METADATA
    assert tuple(table(tree, "chexpert").columns) == ("subject_id", "study_id", *FINDINGS)
    assert tuple(table(tree, "split").columns) == ("dicom_id", "study_id", "subject_id", "split")


def test_every_row_names_a_square_grey_jpeg_where_mimic_keeps_it(tree):
    metadata = table(tree, "metadata")
    paths = [
        tree / "files" / f"p{subject[:2]}" / f"p{subject}" / f"s{study}" / f"{dicom}.jpg"
        for dicom, subject, study in zip(metadata.dicom_id, metadata.subject_id, metadata.study_id)
    ]
    assert sorted(paths) == sorted((tree / "files").rglob("*.jpg"))
    assert metadata.dicom_id.str.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{8}){4}").all()
    for path in paths[:20]:
        with Image.open(path) as image:
            assert (image.format, image.mode, image.size) == ("JPEG", "L", (SIZE, SIZE))


def test_a_patient_never_stands_in_two_source_parts(tree):
    assert (table(tree, "split").groupby("subject_id")["split"].nunique() == 1).all()


def test_a_study_is_pneumonia_or_normal_or_neither_but_never_both(tree):
    labels = table(tree, "chexpert")
    assert not ((labels["Pneumonia"] == "1.0") & (labels["No Finding"] == "1.0")).any()
    assert set(labels["Pneumonia"]) | set(labels["No Finding"]) <= {"", "1.0", "-1.0"}
    assert set(table(tree, "metadata").ViewPosition) == {"AP", "PA", "LATERAL", "LL", ""}


def test_a_covid_tree_lists_its_images_and_keeps_patients_apart(tmp_path):
    write_tree(tmp_path, "covid", 0.1, SIZE, SEED, workers=1)
    listed = pd.read_csv(tmp_path / "covid345.csv", dtype="str")
    assert list(listed.columns) == ["path", "split", "label", "patient_id"]
    assert all((tmp_path / path).is_file() for path in listed.path)
    counts = listed.groupby(["split", "label"]).size().to_dict()
    expected = {("train", "covid"): 15, ("train", "normal"): 11, ("test", "covid"): 5, ("test", "normal"): 4}
    assert counts == expected
    assert (listed.groupby("patient_id")["split"].nunique() == 1).all()


def test_mean_brightness_alone_does_not_tell_the_label():
    """Opacities are brighter than air, so a little of the label must show: 0.63 over 5,000 images."""
    brightness, label = [], []
    for number in range(300):
        rng = np.random.default_rng([11, number])
        person, sick = random_person(rng), number % 2 == 1
        study = random_study(person, "pneumonia" if sick else "normal", rng)
        brightness.append(render(person, [(study, "PA")], SIZE, rng)[0].mean())
        label.append(sick)
    assert 0.35 < roc_auc_score(label, brightness) < 0.75
