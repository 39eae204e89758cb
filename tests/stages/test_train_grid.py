"""train-grid hands on exactly the runs of the present grid and tracks each setting once."""

import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from cxrbench.base.assignment import IMAGE
from cxrbench.base.errors import CxrbenchError
from cxrbench.base.origins import read_origins
from cxrbench.base.tables import PROTOCOLS, TABLES, read_table, write_table
from cxrbench.evaluation.study_settings import read_settings, run_of, skipped_of
from cxrbench.runs import plan
from cxrbench.stages import train_grid
from cxrbench.tracking import tracker
from tests.stages import fake_runs

ROOT = Path(__file__).parents[2]


class Recorder:
    """Takes what a tracker is asked to log."""

    def __init__(self):
        self.settings, self.pictures = [], []

    def describe(self, study, labels):
        pass

    def log_setting(self, study, label, seed_runs, draw, picture):
        self.settings.append((study, label, len(seed_runs)))
        self.pictures.append(picture)
        return len(seed_runs)

    def register_best(self, study, label, seed_run, choice):
        pass

    def would_register_mean(self, choice):
        return False


def assignment():
    parts = ["train", "validation", "test"] * 20
    rows = pd.DataFrame(dict.fromkeys(TABLES["assignment"], ""), index=range(60))
    ids = [f"i{k:02}" for k in range(60)]
    target = [k // 3 % 2 for k in range(60)]
    return rows.assign(
        cohort="pneumonia",
        source="pneumonia",
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
    monkeypatch.setattr(tracker, "open_tracker", lambda uri: recorder)

    def train_nothing(cells, table, store, cache, workers, on_run, executor):
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
    assert set(os.listdir("data/train-grid")) == {*grid["run"], "grid.csv", "settings.json", "origins.json"}
    (origin,) = read_origins(Path("data/train-grid"))
    assert list(origin.runs) == list(dict.fromkeys(grid["run"]))


def test_of_a_run_later_stages_get_its_record_history_and_scores_and_the_model_stays_in_the_store(recorder, tmp_path):
    train_grid.main()
    run = read_table("data/train-grid/grid.csv", "grid")["run"][0]
    assert set(os.listdir(f"data/train-grid/{run}")) == {"run.json", "history.csv", "scores.csv"}
    assert (tmp_path / "store" / run / "model.keras").is_file()


def test_a_source_without_a_split_of_its_own_runs_all_but_the_official_protocol(recorder, capsys):
    tree = yaml.safe_load(Path("params.yaml").read_text())
    tree["studies"] = {"division": {"vary": {"protocol": ["paper", "official"]}}, "all": {"protocol": "official"}}
    Path("params.yaml").write_text(yaml.safe_dump(tree))
    write_table("data/split/assignment.csv", assignment().assign(official=""), "assignment")
    train_grid.main()
    assert set(read_table("data/train-grid/grid.csv", "grid")["setting"]) == {"protocol=paper"}
    reason = "skipped, because the source of cohort pneumonia has no split of its own, so protocol official is empty"
    printed = capsys.readouterr().out
    assert printed.count(reason) == 2
    assert f"division, protocol=official: {reason}" in printed
    settings = read_settings("data/train-grid/settings.json")
    assert run_of(settings["division"]).keys() == {"protocol=paper"}
    assert skipped_of(settings["all"]) == {"base": reason.removeprefix("skipped, because ")}


def test_each_setting_is_tracked_with_all_its_seeds(recorder):
    train_grid.main()
    assert sorted(recorder.settings) == [
        ("rate", "lr=0.001", 2), ("rate", "lr=0.1", 2), ("size", "batch_size=32", 2), ("size", "batch_size=8", 2),
    ]  # fmt: skip


def test_an_mlflow_server_that_is_not_there_does_not_end_the_stage(recorder, monkeypatch, capsys):
    def refuse(uri):
        raise CxrbenchError("the MLflow store http://127.0.0.1:1 can't be used")

    monkeypatch.setattr(tracker, "open_tracker", refuse)
    train_grid.main()
    assert len(read_table("data/train-grid/grid.csv", "grid")) == 8
    assert "not logged: rate, lr=0.1; rate, lr=0.001; size" in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(("restricted", "expected"), [(True, True), (False, False), (None, False)])
def test_a_picture_is_restricted_as_its_cohort_is(recorder, restricted, expected):
    tree = yaml.safe_load(Path("params.yaml").read_text())
    tree["cohorts"]["pneumonia"]["restricted"], tree["kept"] = restricted, "here/../"
    Path("params.yaml").write_text(yaml.safe_dump(tree))
    train_grid.main()
    assert {picture.restricted for picture in recorder.pictures} == {expected}


def test_a_failed_run_fails_the_stage_when_all_else_is_written_and_tracked(recorder, monkeypatch):
    train = plan.train_missing

    def one_fails(cells, table, store, cache, workers, on_run, executor):
        bad = plan.fingerprints([cell for cell in cells if cell.setting.lr == 0.1 and cell.seed == 1], table)[0]
        good = [cell for cell in cells if plan.fingerprints([cell], table) != [bad]]
        train(good, table, store, cache, workers, on_run, executor)
        raise plan.RunsFailed([store.record_failure(bad, "OSError: gone", "")], {bad: "rate, lr=0.1, seed 1"}, store)

    monkeypatch.setattr(plan, "train_missing", one_fails)
    with pytest.raises(CxrbenchError, match=r"rate, lr=0.1, seed 1: OSError: gone"):
        train_grid.main()
    grid = read_table("data/train-grid/grid.csv", "grid")
    assert len(grid) == 7
    assert set(os.listdir("data/train-grid")) == {*grid["run"], "grid.csv", "settings.json", "origins.json"}
    (origin,) = read_origins(Path("data/train-grid"))
    assert list(origin.runs) == list(dict.fromkeys(grid["run"]))
    assert sorted(recorder.settings) == [
        ("rate", "lr=0.001", 2), ("rate", "lr=0.1", 1), ("size", "batch_size=32", 2), ("size", "batch_size=8", 2),
    ]  # fmt: skip


def test_split_redraw_trains_each_seed_on_its_own_split_and_the_fixed_splits_runs_stay(recorder, tmp_path):
    train_grid.main()
    before = set(read_table("data/train-grid/grid.csv", "grid")["run"])
    tree = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
    tree["split"]["redraw"] = True
    tree["studies"]["split"] = {"vary": {"redraw": [False, True]}}
    Path("params.yaml").write_text(yaml.safe_dump(tree))
    shutil.rmtree("data/train-grid")
    with pytest.raises(CxrbenchError, match="has no split 'paper, seed 0'; run 'dvc repro split'"):
        train_grid.main()
    table = assignment()
    own = [table[IMAGE].assign(seed=seed, **{name: np.roll(table["paper"], seed + 1) for name in PROTOCOLS})
           for seed in (0, 1)]  # fmt: skip
    write_table("data/split/redrawn.csv", pd.concat(own), "redrawn")
    train_grid.main()
    grid = read_table("data/train-grid/grid.csv", "grid").set_index(["study", "setting", "seed"])["run"]
    assert set(grid["split", "redraw=False"]) <= before
    assert not set(grid["split", "redraw=True"]) & before
    scores = [read_table(f"data/train-grid/{run}/scores.csv", "scores") for run in grid["rate", "lr=0.1"]]
    tests = [set(one.loc[one["part"] == "test", "image_id"]) for one in scores]
    assert tests == [set(table.loc[np.roll(table["paper"], seed + 1) == "test", "image_id"]) for seed in (0, 1)]
