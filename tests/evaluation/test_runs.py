import json

import numpy as np
import pandas as pd
import pytest

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.files import write_text
from cxrbench.base.tables import TABLES, read_table, write_table
from cxrbench.evaluation.comparisons import Timing
from cxrbench.evaluation.runs import metric_table, read_grid, read_histories, studies

GRID = pd.DataFrame(
    [["one", "x=1", 0, "r1"], ["two", "base", 0, "r1"], ["one", "x=2", 0, "r2"]],
    columns=["study", "setting", "seed", "run"],
)
RECORD = {"status": "ok", "first_epoch_seconds": 3.0, "epoch_seconds": 1.5}


def write_run(folder, name, scores, parts=("validation", "test"), **record):
    n = len(scores)
    for_each = [
        pd.DataFrame({"source": "a", "image_id": [f"{part}{i}" for i in range(n)], "patient_id": "", "part": part,
                      "target": np.arange(n) % 2, "score": scores})
        for part in parts
    ]  # fmt: skip
    write_table(folder / name / "scores.csv", pd.concat(for_each), "scores")
    write_text(folder / name / "run.json", json.dumps({**RECORD, "run": name, **record}))


def test_each_cell_of_the_grid_has_a_row_for_each_part(tmp_path):
    write_run(tmp_path, "r1", [0.1, 0.9, 0.2, 0.3])
    write_run(tmp_path, "r2", [0.1, 0.9], parts=("validation",))
    table = metric_table(GRID, read_grid(GRID, tmp_path))
    assert table[["study", "setting", "part", "n", "accuracy"]].values.tolist() == [
        ["one", "x=1", "validation", 4, 0.75],
        ["one", "x=1", "test", 4, 0.75],
        ["two", "base", "validation", 4, 0.75],
        ["two", "base", "test", 4, 0.75],
        ["one", "x=2", "validation", 2, 1.0],
    ]
    assert set(table["epoch_seconds"]) == {1.5}
    assert list(table.columns) == list(TABLES["metrics"])


def test_each_run_of_the_grid_has_its_history_once(tmp_path):
    row = dict.fromkeys(TABLES["history"], 0.5) | {"epoch": 1}
    for name in ("r1", "r2"):
        write_table(tmp_path / name / "history.csv", pd.DataFrame([row, row | {"epoch": 2}]), "history")
    assert {name: list(of["epoch"]) for name, of in read_histories(GRID, tmp_path).items()} == {
        "r1": [1, 2],
        "r2": [1, 2],
    }


def test_a_run_recorded_as_diverged_has_no_metrics_even_if_its_scores_are_finite(tmp_path):
    for name in ("r1", "r2"):
        write_run(tmp_path, name, [0.1, 0.9], status="diverged")
    table = metric_table(GRID, read_grid(GRID, tmp_path))
    assert set(table["status"]) == {"diverged"}
    assert table["accuracy"].isna().all()


def test_a_missing_run_is_an_error_that_names_it(tmp_path):
    write_run(tmp_path, "r1", [0.1, 0.9])
    with pytest.raises(CxrbenchError, match="run r2 has no"):
        read_grid(GRID, tmp_path)


def test_a_run_that_scored_nothing_is_an_error_that_names_it(tmp_path):
    write_run(tmp_path, "r1", [0.1, 0.9])
    write_run(tmp_path, "r2", [0.1, 0.9], parts=("train",))
    with pytest.raises(CxrbenchError, match="r2 scored 0 images"):
        metric_table(GRID, read_grid(GRID, tmp_path))


def test_an_image_without_a_known_patient_stands_for_one_of_its_own(tmp_path):
    write_run(tmp_path, "r1", [0.1, 0.9])
    write_run(tmp_path, "r2", [0.1, 0.9])
    runs = read_grid(GRID, tmp_path)
    found = studies(metric_table(GRID, runs), runs)
    assert {study: list(settings) for study, settings in found.items()} == {"one": ["x=1", "x=2"], "two": ["base"]}
    assert found["one"]["x=1"][0].scores["test"].patient.tolist() == ["a/image test0", "a/image test1"]


def test_two_sources_patients_of_one_name_are_two_patients(tmp_path):
    """A study may vary the cohort, and a key holds inside its source only."""
    for name, source in (("r1", "a"), ("r2", "b")):
        write_run(tmp_path, name, [0.1, 0.9])
        path = tmp_path / name / "scores.csv"
        write_table(path, read_table(path, "scores").assign(source=source, patient_id="p1"), "scores")
    runs = read_grid(GRID, tmp_path)
    one = studies(metric_table(GRID, runs), runs)["one"]
    patients = [set(one[setting][0].scores["test"].patient) for setting in ("x=1", "x=2")]
    assert patients == [{"a/p1"}, {"b/p1"}]


def test_a_run_holds_its_seconds_and_what_they_depend_on_as_far_as_its_record_says(tmp_path):
    timing = {"machine": "m", "threads": 2, "workers": 1, "alone": False}
    write_run(tmp_path, "r1", [0.1, 0.9], timing={**timing, "more": "later versions may add"})
    write_run(tmp_path, "r2", [0.1, 0.9], timing={"machine": "m"})
    runs = read_grid(GRID, tmp_path)
    found = studies(metric_table(GRID, runs), runs)
    assert found["one"]["x=1"][0].seconds == {"first_epoch_seconds": 3.0, "epoch_seconds": 1.5}
    assert found["one"]["x=1"][0].timing == Timing(**timing)
    assert found["one"]["x=2"][0].timing is None


def test_a_damaged_record_is_an_error_that_names_its_file(tmp_path):
    write_run(tmp_path, "r1", [0.1, 0.9])
    for damaged in ("{", "[]"):
        (tmp_path / "r1" / "run.json").write_text(damaged)
        with pytest.raises(CxrbenchError, match=r"r1/run\.json is damaged \(.+\); run 'dvc repro -f train-grid'"):
            read_grid(GRID.head(1), tmp_path)


def test_runs_come_in_order_of_seed_each_with_its_own_scores_status_and_split(tmp_path):
    grid = pd.DataFrame([["one", "x=1", seed, f"r{seed}"] for seed in (2, 0, 1)], columns=GRID.columns)
    write_run(tmp_path, "r0", [0.1, 0.9], setting={"redraw": True})
    write_run(tmp_path, "r1", [0.2, 0.8], setting={"redraw": False}, parts=("test",))
    write_run(tmp_path, "r2", [0.7, 0.7])
    runs = read_grid(grid, tmp_path)
    found = studies(metric_table(grid, runs), runs)["one"]["x=1"]
    assert [one.seed for one in found] == [0, 1, 2]
    assert [one.redrawn for one in found] == [True, False, False]
    assert [one.status for one in found] == [
        {"validation": "ok", "test": "ok"}, {"test": "ok"}, {"validation": "degenerate", "test": "degenerate"}
    ]  # fmt: skip
    assert [list(one.scores) for one in found] == [["validation", "test"], ["test"], ["validation", "test"]]
    tested = [one.scores["test"] for one in found]
    assert [one.score.tolist() for one in tested] == [[0.1, 0.9], [0.2, 0.8], [0.7, 0.7]]
    assert [one.target.tolist() for one in tested] == [[0, 1]] * 3
