"""Stage download, on cohorts of a few files."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from cxrbench.errors import CxrbenchError
from cxrbench.manifest import read_table
from cxrbench.stages import download

COMMITTED = yaml.safe_load((Path(__file__).parents[2] / "params.yaml").read_text())
SOURCES = {
    "own": {"source": "directory", "root": "images", "positive": "covid", "negative": "normal"},
    "kids": {"source": "kaggle", "root": "kids", "positive": "pneumonia", "negative": "normal"},
}


def picture(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.arange(400, dtype=np.uint8).reshape(20, 20)).save(path)


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """A workspace whose params.yaml has the given cohorts and whose folders hold four images and two bad files."""
    monkeypatch.chdir(tmp_path)
    for name in ("images/covid/a.png", "images/normal/b.png", "kids/train/NORMAL/IM-1-1.jpeg"):
        picture(tmp_path / name)
    (tmp_path / "images/normal/bad.png").write_bytes(b"")
    (tmp_path / "images/normal/notes.txt").write_text("seen by a reader")

    def write(**cohorts):
        tree = COMMITTED | {"cohorts": cohorts, "studies": {}, "split": COMMITTED["split"] | {"quotas": {}}}
        tree["views"] = COMMITTED["views"] | {"cohort": next(iter(cohorts))}
        (tmp_path / "params.yaml").write_text(yaml.safe_dump(tree, sort_keys=False))
        (tmp_path / "dvc.yaml").write_text("")
        return tmp_path

    return write


def test_every_file_of_every_cohort_is_in_one_of_the_two_tables(workspace, capsys):
    folder = workspace(**SOURCES)
    download.main()
    images = read_table("data/download/manifest.csv", "manifest")
    rejects = read_table("data/download/rejects.csv", "rejects")
    assert list(zip(images["cohort"], images["image_id"])) == [
        ("own", "covid/a"),
        ("own", "normal/b"),
        ("kids", "train/NORMAL/IM-1-1"),
    ]
    assert list(rejects["reason"]) == ["empty", "not an image"]
    assert images["path"][0] == str(folder / "images/covid/a.png")  # local files stay where they are
    assert "own: 2 images, 2 rejects, 1 empty, 1 not an image\n" in capsys.readouterr().out


def test_a_cohort_without_a_usable_image_stops_the_stage_and_leaves_no_table(workspace):
    folder = workspace(own=SOURCES["own"])
    for name in ("covid/a.png", "normal/b.png"):
        (folder / "images" / name).write_bytes(b"")
    with pytest.raises(CxrbenchError, match=r"cohort 'own' has no usable image among 4 files .* is empty\)"):
        download.main()
    assert not (folder / "data/download/manifest.csv").exists()


def test_a_phantom_is_written_below_the_workspace_and_read_like_the_real_thing(workspace):
    phantom = {"source": "phantom", "positive": "pneumonia", "negative": "normal", "scale": 0.002, "size": 32}
    workspace(lungs=phantom | {"kind": "pneumonia"}, virus=phantom | {"kind": "covid", "scale": 0.01})
    (folder := download.FOLDER / "lungs").mkdir(parents=True)
    (folder / "left over").write_text("from another scale")
    download.main()
    images = read_table("data/download/manifest.csv", "manifest")
    assert set(images["cohort"]) == {"lungs", "virus"}
    lungs = images[images["cohort"] == "lungs"]
    assert lungs["path"].str.startswith("data/download/lungs/files/p").all()
    assert {"normal", "pneumonia"} <= set(lungs["label"])
    assert {"normal", "covid"} == set(images["label"][images["cohort"] == "virus"])
    assert not (folder / "left over").exists()
    assert read_table("data/download/rejects.csv", "rejects").empty
