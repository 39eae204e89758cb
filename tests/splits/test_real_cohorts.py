"""The published counts on the published images: 5,856 to the last one, and the COVID set's 345."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cxrbench.cohorts.ingest import ingest
from cxrbench.cohorts.sources import directory, kaggle
from cxrbench.config import params
from cxrbench.images.decode import decode, load_square
from cxrbench.splits.leaks import find_leaks, with_keys
from cxrbench.splits.near_duplicates import find_duplicates, picture_of
from cxrbench.splits.picture_match import SIDE_PX
from cxrbench.splits.protocols import assign, lacking
from tests.splits.planted import COPIES, look

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("CXRBENCH_REAL_DATA", ROOT.parent / "shared" / "data"))
pytestmark = [
    pytest.mark.slow,
    pytest.mark.real_data,
    pytest.mark.skipif(not (DATA / "chest_xray").is_dir(), reason=f"{DATA / 'chest_xray'} is not there"),
]


@pytest.fixture(scope="module")
def quotas():
    return params.load(ROOT / "params.yaml").split.quotas


@pytest.fixture(scope="module")
def children():
    images, rejects = ingest("pneumonia", kaggle.read(DATA / "chest_xray").images, workers=2)
    assert (len(images), len(rejects)) == (5856, 0)
    return images


@pytest.fixture(scope="module")
def squares(children):
    paths = children["path"].tolist()
    return lambda at: np.stack([load_square(paths[place], SIDE_PX, "squash") for place in at])


@pytest.fixture(scope="module")
def duplicates(children, squares):
    return find_duplicates(children, squares, "pneumonia", 2)


def test_the_30_groups_of_identical_files_are_found_and_no_two_children_are_one(children, duplicates):
    kinds = duplicates["kind"].value_counts()
    assert kinds["identical file"] == 32
    identical = duplicates[duplicates["kind"] == "identical file"]
    assert (picture_of(children, identical).value_counts() > 1).sum() == 30
    patient = children.set_index("image_id")["patient_id"]
    other = duplicates[duplicates["kind"] == "near-duplicate"]
    assert (other["image_a"].map(patient) == other["image_b"].map(patient)).all()


@pytest.mark.parametrize("kind", ["mirrored, half, JPEG 50, brighter", "3 % black border", "shifted 4 % across"])
def test_planted_copies_of_real_images_are_found_among_all_others(children, squares, kind):
    chosen = children.drop_duplicates("sha256").sample(40, random_state=0)
    copies = [COPIES[kind](decode(path)) for path in chosen["path"]]
    hashes, shown = look(copies)
    names = [f"copy of {name}" for name in chosen["image_id"]]
    planted = pd.DataFrame({"image_id": names, "sha256": names, "phash": hashes})
    everything = pd.concat([children.drop_duplicates("sha256"), planted], ignore_index=True)
    old = len(everything) - len(planted)
    paths = everything["path"]

    def squares_at(positions):
        return np.stack(
            [shown[at - old] if at >= old else load_square(paths[at], SIDE_PX, "squash") for at in positions]
        )

    found = find_duplicates(everything, squares_at, "pneumonia", 2)
    pairs = set(zip(found["image_a"], found["image_b"]))
    # A copy that is one with its original may be joined through another copy, but no two of these are alike.
    assert len(pairs & {tuple(sorted((name[8:], name))) for name in names}) >= 36
    assert all(b.removeprefix("copy of ") == a.removeprefix("copy of ") for a, b in map(sorted, pairs))


@pytest.mark.parametrize("seed", range(3))
def test_every_childs_image_finds_its_place_by_whole_patients(children, duplicates, quotas, seed):
    shown = children.assign(picture=picture_of(children, duplicates))
    parts = assign(shown, quotas["pneumonia"], "patient", seed, "pneumonia", pictures="picture")
    assert not lacking(parts, children["label"], quotas["pneumonia"])
    assert (parts != "").all()
    target = (children["label"] == "pneumonia").astype(int)
    assigned = children[["cohort", "image_id", "sha256", "label"]].assign(
        source=children["cohort"], patient=parts, paper="", official="", target=target
    )
    leaks = find_leaks(with_keys(assigned, children, duplicates))
    assert leaks[leaks["across"] == "parts"]["groups"].sum() == 0


def test_the_sources_own_test_leaves_training_124_short(children, quotas):
    parts = assign(children, quotas["pneumonia"], "official", 0, "pneumonia", official_shortfall=0.1)
    short = {"train": {"normal": 34, "pneumonia": 90}}
    assert lacking(parts, children["label"], quotas["pneumonia"]) == short
    assert (children["source_part"][parts == "test"] == "test").all()


@pytest.mark.parametrize("protocol", ["paper", "patient", "official"])
def test_the_covid_set_is_used_up_to_its_last_image(quotas, protocol):
    images, _ = ingest("covid", directory.read(DATA, "covid345.csv", "frontal").images)
    parts = assign(images, quotas["covid"], protocol, 0, "covid")
    assert not lacking(parts, images["label"], quotas["covid"])
    assert (parts != "").all()
