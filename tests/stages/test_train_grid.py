"""train-grid hands on exactly the runs of the present grid and tracks each setting once."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from cxrbench.base.tables import TABLES, read_table, write_table
from cxrbench.config import params
from cxrbench.reporting.mistakes import GREY, LINE_PX, TILE_PX
from cxrbench.runs import plan
from cxrbench.stages import train_grid
from cxrbench.tracking import tracker
from tests.stages import fake_runs

ROOT = Path(__file__).parents[2]


class Recorder:
    """What a tracker was told."""

    def __init__(self):
        self.described, self.settings, self.best, self.pictures = [], [], [], {}

    def describe(self, study, labels):
        self.described.append((study, tuple(labels)))

    def log_setting(self, study, label, seed_runs, draw, picture):
        self.pictures[study, label] = picture
        self.settings.append((study, label, len(seed_runs)))
        assert set(draw(seed_runs[0])) == {"curves"}
        assert 0 <= seed_runs[0].metrics["validation_accuracy"] <= 1

    def register_best(self, study, label, seed_run):
        self.best.append((study, label, seed_run.folder.name))


def assignment():
    parts = ["train", "validation", "test"] * 20
    rows = pd.DataFrame(dict.fromkeys(TABLES["assignment"], ""), index=range(60))
    ids = [f"i{k:02}" for k in range(60)]
    target = [k // 3 % 2 for k in range(60)]
    return rows.assign(
        cohort="pneumonia",
        image_id=ids,
        sha256=ids,
        patient_id=ids,
        target=target,
        paper=parts,
        patient=parts,
        official=parts,
    )


@pytest.fixture
def recorder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CXRBENCH_STORE", str(tmp_path / "store"))
    tree = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    tree["seeds"] = [0, 1]
    tree["studies"] = {"rate": {"vary": {"lr": [0.1, 0.001]}}, "size": {"vary": {"batch_size": [32, 8]}}}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(tree))
    write_table("data/split/assignment.csv", assignment(), "assignment")
    recorder = Recorder()
    monkeypatch.setattr(tracker, "open_tracker", lambda: recorder)

    def train_nothing(cells, table, store, cache, workers, on_run):
        names = plan.fingerprints(cells, table)
        for name, cell in dict(zip(names, cells)).items():
            if not store.has(name):
                accuracy = 0.5 if cell.setting.lr == 0.1 else 0.9 - cell.seed / 10 - (cell.setting.batch_size == 8) / 5
                fake_runs.write(store, name, cell, table, accuracy)
            on_run(name)
        return names

    monkeypatch.setattr(plan, "train_missing", train_nothing)
    return recorder


def test_the_output_holds_exactly_the_runs_of_the_grid_and_a_shared_run_once(recorder, tmp_path):
    stale = tmp_path / "store" / ("0" * 16)
    stale.mkdir(parents=True)
    train_grid.main()
    grid = read_table("data/train-grid/grid.csv", "grid")
    assert len(grid) == 8
    assert grid["run"].nunique() == 6  # lr=0.001 and batch_size=32 are both the base
    assert {entry for entry in os.listdir("data/train-grid") if entry != "grid.csv"} == set(grid["run"])


def test_a_source_without_a_split_of_its_own_runs_all_but_the_official_protocol(recorder, capsys):
    tree = yaml.safe_load(Path("params.yaml").read_text())
    tree["studies"] = {"division": {"vary": {"protocol": ["paper", "official"]}}, "all": {"protocol": "official"}}
    Path("params.yaml").write_text(yaml.safe_dump(tree))
    write_table("data/split/assignment.csv", assignment().assign(official=""), "assignment")
    train_grid.main()
    assert set(read_table("data/train-grid/grid.csv", "grid")["setting"]) == {"protocol=paper"}
    told = "left out, for the source of cohort pneumonia has no split of its own, so protocol official is empty"
    printed = capsys.readouterr().out
    assert printed.count(told) == 2
    assert f"division, protocol=official: {told}" in printed


def test_each_setting_is_tracked_once_with_all_its_seeds_and_the_winner_is_named_on_validation(recorder):
    train_grid.main()
    assert recorder.described == [("rate", ("lr=0.1", "lr=0.001")), ("size", ("batch_size=32", "batch_size=8"))]
    assert sorted(recorder.settings) == [
        ("rate", "lr=0.001", 2), ("rate", "lr=0.1", 2), ("size", "batch_size=32", 2), ("size", "batch_size=8", 2),
    ]  # fmt: skip
    grid = read_table("data/train-grid/grid.csv", "grid")
    best = grid[(grid["setting"] == "lr=0.001") & (grid["seed"] == 0)]["run"].iloc[0]
    assert recorder.best == [("rate", "lr=0.001", best), ("size", "batch_size=32", best)]


def test_a_settings_picture_shows_its_mistakes_and_names_a_file_that_is_gone(recorder):
    train_grid.main()
    sheet = np.asarray(recorder.pictures["rate", "lr=0.1"].draw())
    shown = sheet[2 * LINE_PX : 2 * LINE_PX + TILE_PX, 8 : 8 + TILE_PX]
    assert np.median(shown) == GREY  # no file lies where the table says: words in its place
    assert len(np.unique(shown)) > 1


@pytest.mark.parametrize(("restricted", "expected"), [(True, True), (False, False), (None, False)])
def test_a_picture_is_restricted_as_its_cohort_is(recorder, restricted, expected):
    tree = yaml.safe_load(Path("params.yaml").read_text())
    tree["cohorts"]["pneumonia"]["restricted"] = restricted
    Path("params.yaml").write_text(yaml.safe_dump(tree))
    train_grid.main()
    assert {picture.restricted for picture in recorder.pictures.values()} == {expected}


@pytest.mark.parametrize(("restricted", "expected"), [("pneumonia", True), ("covid", False)])
def test_the_view_networks_images_are_as_restricted_as_the_cohorts_that_teach_it(restricted, expected):
    tree = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    tree["cohorts"][restricted]["restricted"] = True
    assert ("views" in train_grid._restricted(params.parse(tree))) is expected
