"""The published counts on the published images: 5,856 to the last one, and the COVID set's 345."""

import os
from pathlib import Path

import pytest

from cxrbench import params
from cxrbench.cohorts import directory, kaggle
from cxrbench.cohorts.ingest import ingest
from cxrbench.splits.leaks import find_leaks
from cxrbench.splits.protocols import assign, lacking

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("CXRBENCH_REAL_DATA", ROOT.parent / "shared" / "data"))
pytestmark = [
    pytest.mark.real_data,
    pytest.mark.skipif(not (DATA / "chest_xray").is_dir(), reason=f"{DATA / 'chest_xray'} is not there"),
]


@pytest.fixture(scope="module")
def quotas():
    return params.load(ROOT / "params.yaml").split.quotas


@pytest.fixture(scope="module")
def children():
    images, rejects = ingest("pneumonia", kaggle.read(DATA / "chest_xray"), workers=2)
    assert (len(images), len(rejects)) == (5856, 0)
    return images


@pytest.mark.parametrize("seed", range(3))
def test_every_childs_image_finds_its_place_by_whole_patients(children, quotas, seed):
    parts = assign(children, quotas["pneumonia"], "patient", seed, "pneumonia")
    assert not lacking(parts, children["label"], quotas["pneumonia"])
    assert (parts != "").all()
    leaks = find_leaks(children.assign(patient=parts, paper="", official=""))
    assert leaks["groups"].sum() == 0


def test_the_sources_own_test_leaves_training_124_short(children, quotas):
    parts = assign(children, quotas["pneumonia"], "official", 0, "pneumonia", official_shortfall=0.1)
    short = {"train": {"normal": 34, "pneumonia": 90}}
    assert lacking(parts, children["label"], quotas["pneumonia"]) == short
    assert (children["source_part"][parts == "test"] == "test").all()


@pytest.mark.parametrize("protocol", ["paper", "patient", "official"])
def test_the_covid_set_is_used_up_to_its_last_image(quotas, protocol):
    images, _ = ingest("covid", directory.read(DATA, "covid345.csv", "frontal"))
    parts = assign(images, quotas["covid"], protocol, 0, "covid")
    assert not lacking(parts, images["label"], quotas["covid"])
    assert (parts != "").all()
