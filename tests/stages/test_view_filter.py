"""view-filter keeps what is frontal and hands on the best network, whatever trained it."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from cxrbench.manifest import TABLES, read_table, write_table
from cxrbench.stages import view_filter
from cxrbench.training import runs
from tests.stages import fake_runs

ROOT = Path(__file__).parents[2]
LOSS_OF_SEED = {0: 0.5, 1: 0.2, 2: 0.9}


def manifest():
    views = ["frontal"] * 30 + ["lateral"] * 30 + [""] * 3
    frame = pd.DataFrame(dict.fromkeys(TABLES["manifest"], ""), index=range(len(views)))
    ids = [f"i{k:02}" for k in range(len(views))]
    return frame.assign(cohort="pneumonia", image_id=ids, sha256=ids, path=ids, view=views, width=9, height=9, bytes=9)


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CXRBENCH_STORE", str(tmp_path / "store"))
    tree = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    tree["views"]["quotas"] = {"train": {"frontal": 10, "lateral": 10}, "validation": {"frontal": 5, "lateral": 5}}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(tree))
    write_table("data/download/manifest.csv", manifest(), "manifest")

    def train_nothing(cells, assignment, store, cache, workers):
        names = [f"run{cell.seed}" for cell in cells]
        for name, cell in zip(names, cells):
            fake_runs.write(store, name, cell, assignment, accuracy=1.0, validation_loss=LOSS_OF_SEED[cell.seed])
        return names

    monkeypatch.setattr(runs, "ensure", train_nothing)
    monkeypatch.setattr(view_filter, "grey_squares", lambda *arguments: tmp_path / "squares.npy")
    monkeypatch.setattr(view_filter.network, "score", lambda *arguments: np.array([0.97, 0.5, 0.02]))
    return tmp_path


def test_the_filter_keeps_what_is_frontal_and_hands_on_the_best_network(workspace):
    view_filter.main()
    out = workspace / "data" / "view-filter"
    frontal = read_table(out / "manifest.csv", "frontal")
    review = read_table(out / "review.csv", "review")
    assert len(frontal) == 31
    assert frontal["view_by"].value_counts().to_dict() == {"metadata": 30, "network": 1}
    assert list(review["image_id"]) == ["i61"]
    assert (out / "model.keras").read_text() == "model of run1"
    assert json.loads((out / "metrics.json").read_text()) == {
        "images": 63, "frontal": 31, "frontal_by_network": 1, "lateral": 31, "abstained": 1, "disagreements": 0,
        "validation_accuracy": 1.0, "test_accuracy": 1.0, "test_images": 30,
    }  # fmt: skip


def test_where_all_views_are_known_the_network_is_not_asked(workspace, monkeypatch):
    known = manifest()
    write_table("data/download/manifest.csv", known[known["view"] != ""], "manifest")
    monkeypatch.setattr(view_filter.network, "score", None)
    view_filter.main()
    assert len(read_table("data/view-filter/manifest.csv", "frontal")) == 30
