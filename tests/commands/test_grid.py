"""``cxrbench grid`` says where every run stands and frees nothing that is needed."""

import json
import os
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from cxrbench import cli
from cxrbench.base.tables import write_table
from cxrbench.base.workspace import array_cache_dir, run_store_dir
from cxrbench.config import params as parameters
from cxrbench.runs import plan
from cxrbench.runs.overview import overview
from cxrbench.runs.store import RECORD, RunStore
from cxrbench.training import backend
from tests.stages import fake_runs
from tests.stages.test_train_grid import assignment, recorder  # noqa: F401

pytestmark = pytest.mark.usefixtures("recorder")


@pytest.fixture
def grid(recorder):  # noqa: F811
    """The planned runs (lr 0.1 and 0.001, batch sizes 32 and 8, two seeds each), their names and the store."""
    backend.choose("tensorflow")
    planned = parameters.load().planned_runs()
    return planned, plan.fingerprints(planned, assignment()), RunStore(run_store_dir())


def train(store, one, run, seconds=None, status="ok"):
    fake_runs.write(store, run, one, assignment(), 0.9)
    file = store.path(run) / RECORD
    record = json.loads(file.read_text())
    record |= {"status": status, "timing": {"machine": backend.machine()}, "data": {"train": 20}}
    if seconds:
        record |= {"train_seconds": seconds, "epochs_done": one.setting.epochs}
    file.write_text(json.dumps(record))


def test_each_state_is_counted_by_study_and_each_run_once_in_all(grid, capsys):
    planned, names, store = grid
    by = {(one.study, one.label, one.seed): (one, run) for one, run in zip(planned, names)}
    train(store, *by["rate", "lr=0.001", 0], seconds=60.0)
    train(store, *by["rate", "lr=0.1", 0], seconds=60.0, status="diverged")
    store.record_failure(by["rate", "lr=0.1", 1][1], "ValueError: no", "Traceback")
    claim = store.claim(by["size", "batch_size=8", 0][1])
    assert cli.main(["grid"]) == 0
    told = capsys.readouterr().out
    rows = [line.split() for line in told.splitlines()[1:4]]
    counts = {row[0]: [int(word) for word in row if word.isdecimal()][:5] for row in rows}
    assert counts == {"rate": [1, 1, 0, 1, 1], "size": [1, 0, 1, 0, 2], "all,": [1, 1, 1, 1, 2]}
    assert f"running: size, batch_size=8, seed 0: process {os.getpid()}" in told
    assert "failed: rate, lr=0.1, seed 1: ValueError: no" in told
    assert "4 runs are like none" not in told
    claim.release()


def test_a_run_that_began_later_than_now_because_the_clock_jumped_runs_for_no_time(grid, capsys, monkeypatch):
    _, names, store = grid
    with store.claim(names[0]):
        monkeypatch.setattr(time, "time", lambda: 0.0)
        assert cli.main(["grid"]) == 0
    assert ", for 0 s\n" in capsys.readouterr().out


def test_seconds_left_come_from_like_runs_and_are_shared_by_the_workers(grid):
    planned, names, store = grid
    by = {(one.study, one.label, one.seed): (one, run) for one, run in zip(planned, names)}
    assert overview(planned, names, store, assignment(), 2).unknown == 6
    train(store, *by["rate", "lr=0.001", 0], seconds=60.0)  # batch size 32
    found = overview(planned, names, store, assignment(), 2)
    assert found.unknown == 0  # batch size 8 is estimated by the same model and image size
    assert found.table["seconds"].tolist() == pytest.approx([3 * 60 / 2, 3 * 60 / 2, 5 * 60 / 2])
    train(store, *by["size", "batch_size=8", 0], seconds=120.0)
    found = overview(planned, names, store, assignment(), 1)
    assert found.table["seconds"].tolist() == pytest.approx([3 * 60, 60 + 120, 3 * 60 + 120])
    done = overview(planned[:1], names[2:3], store, assignment(), 1)
    assert done.table["seconds"].tolist() == [0, 0]


def test_pruning_asks_and_keeps_what_the_present_grid_asks_for(grid, capsys, monkeypatch):
    planned, names, store = grid
    for one, run in dict(zip(names, planned)).items():
        fake_runs.write(store, one, run, assignment(), 0.9)
    fake_runs.write(store, "stranger", planned[0], assignment(), 0.9)
    old = time.time() - 40 * 86400
    for run in (*names, "stranger"):
        os.utime(store.path(run), (old, old))
    array = array_cache_dir() / "form-list.npy"
    array.parent.mkdir(parents=True)
    array.write_bytes(b"0" * 2_000_000)
    os.utime(array, (old, old))
    monkeypatch.setattr("builtins.input", lambda question: "n")
    assert cli.main(["grid", "--prune"]) == 1
    assert store.has("stranger")
    told = capsys.readouterr().out
    assert "stranger" in told
    assert "form-list.npy    2.0 MB" in told
    assert "2 entries, 2.0 MB" in told
    assert not any(run in told for run in names)
    assert cli.main(["grid", "--prune", "--days", "50", "--yes"]) == 0
    assert "nothing to free" in capsys.readouterr().out
    assert cli.main(["grid", "--prune", "--yes"]) == 0
    assert "2.0 MB freed" in capsys.readouterr().out
    assert not array.exists()
    assert store.names() == set(names)


def test_no_image_of_a_restricted_cohort_is_exported(grid, tmp_path, monkeypatch, capsys):
    jobs = {name: SimpleNamespace(rows=assignment()) for name in grid[1]}  # as decoded: there are no images here
    monkeypatch.setattr(plan, "missing_jobs", lambda *_: jobs)
    tree = yaml.safe_load(Path("params.yaml").read_text())
    tree["cohorts"]["pneumonia"]["restricted"], tree["kept"] = True, "here/../"
    Path("params.yaml").write_text(yaml.safe_dump(tree))
    assert cli.main(["grid", "--export", str(tmp_path / "out")]) == 0
    told = capsys.readouterr().out
    assert "6 runs stay here: their images are of restricted cohorts (pneumonia)" in told
    assert not (tmp_path / "out").exists()


def test_without_a_table_of_images_it_says_what_to_run(capsys):
    os.unlink("data/split/assignment.csv")
    for argv in (["grid"], ["grid", "--prune", "--yes"]):
        assert cli.main(argv) == 1
        assert "data/split/assignment.csv does not exist; run 'dvc repro'" in capsys.readouterr().err


def test_the_view_networks_of_view_filter_stay(grid, capsys):
    _, _, store = grid
    params = parameters.load()
    table = assignment().assign(cohort="views")
    write_table("data/view-filter/assignment.csv", table, "assignment")
    setting = params.views.setting
    runs = [plan.PlannedRun("view-network", "base", setting, seed) for seed in params.seeds]
    names = plan.fingerprints(runs, table)
    for name, one in zip(names, runs):
        fake_runs.write(store, name, one, table, 0.9)
    assert cli.main(["grid", "--prune", "--days", "0", "--yes"]) == 0
    assert store.names() == set(names)
