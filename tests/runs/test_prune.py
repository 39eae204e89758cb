"""Pruning frees what nothing uses and nothing else, beside a training grid and beside another prune."""

import os
import subprocess
import sys
import time

import pytest

from cxrbench.runs import prune
from cxrbench.runs.driver import train_all
from cxrbench.runs.store import RunStore
from tests.runs.quick_jobs import job, write_run
from tests.runs.test_driver import Scripted

OLD = 40 * prune.DAY_SECONDS


@pytest.fixture
def store(tmp_path):
    return RunStore(tmp_path / "store")


@pytest.fixture
def arrays(tmp_path):
    folder = tmp_path / "arrays"
    folder.mkdir()
    return folder


def add(store, *runs, age=OLD):
    for run in runs:
        folder = store.begin(run)
        write_run(folder, run)
        store.commit(run, folder)
        make_old(store.path(run), age)


def make_old(path, age=OLD):
    os.utime(path, (time.time() - age,) * 2)


def names(found):
    return [one.name for one in found]


def test_what_is_asked_for_or_was_used_lately_stays(store, arrays):
    add(store, "asked", "used", "unused")
    add(store, "older", age=2 * OLD)
    add(store, "young", age=10 * prune.DAY_SECONDS)
    store.use(["used"])
    found = prune.prunable(store, arrays, {"asked"}, 30)
    assert names(found) == ["older", "unused"]
    whole = sum(file.stat().st_size for run in ("older", "unused") for file in store.path(run).iterdir())
    assert prune.remove(store, found) == (whole, [])
    assert store.names() == {"asked", "used", "young"}


def test_a_run_that_a_living_process_uses_stays_whatever_its_age(store, arrays):
    add(store, "used", "unused")
    user = RunStore(store.folder)
    user.use(["used"])
    make_old(store.path("used"))
    assert names(prune.prunable(store, arrays, set(), 30)) == ["unused"]
    del user
    assert set(names(prune.prunable(store, arrays, set(), 30))) == {"unused", "used"}


def test_what_a_run_left_that_was_never_finished_is_freed_when_it_is_old(store, arrays):
    store.folder.mkdir()
    store.checkpoint("young").write_text("weights")
    store.checkpoint("old").write_text("weights")
    store.record_failure("failed", "no", "")
    make_old(store.checkpoint("old"))
    make_old(store.failure_file("failed"))
    found = prune.prunable(store, arrays, set(), 30)
    assert set(names(found)) == {"old", "failed"}
    prune.remove(store, found)
    assert store.names() == {"young"}


def test_old_arrays_go_with_their_lists_and_used_ones_stay(store, arrays):
    for name in ("f-old", "f-young", "f-used"):
        (arrays / f"{name}.npy").write_bytes(b"x" * 1000)
        (arrays / f"{name}.txt").write_text("sums")
        (arrays / f"{name}.f00d.npz").write_bytes(b"features of a frozen backbone")
        make_old(arrays / f"{name}.npy", 10 if name == "f-young" else OLD)
    (arrays / "f-half.npy.tmp-1").write_bytes(b"x")
    make_old(arrays / "f-half.npy.tmp-1")
    store.use(["f-used.npy"])
    for days in (30, 0):  # one that was just made may be used in a moment
        found = prune.prunable(store, arrays, set(), days)
        assert set(names(found)) == {"f-old.npy", "f-half.npy.tmp-1"}
    assert prune.remove(store, found) == (1001, [])
    left = [f"{name}.{ending}" for name in ("f-used", "f-young") for ending in ("f00d.npz", "npy", "txt")]
    assert sorted(os.listdir(arrays)) == left


def test_a_prune_beside_a_grid_touches_no_run_of_it(store, arrays, tmp_path):
    """Also where nothing says that they are asked for, and none is young enough to stay."""
    wanted = ["there", "a", "b", "c"]
    grid = RunStore(store.folder)
    add(store, "there", "stranger")
    grid.use(wanted)

    def prune_all(run):
        chosen = [prune.Prunable(one, 0, 0.0, "") for one in (*wanted, "stranger")]
        stayed = prune.remove(store, chosen)[1]
        assert names(stayed) == wanted

    jobs = [job(run, tmp_path / "log") for run in wanted[1:]]
    assert train_all(jobs, grid, Scripted(2), lambda *epoch: prune_all("x"), prune_all) == []
    assert store.names() == set(wanted)
    assert all(store.has(run) for run in wanted)


@pytest.mark.slow
def test_two_prunes_at_once_free_everything_once(store, arrays):
    add(store, *(f"run{k}" for k in range(60)))
    code = f"""
from pathlib import Path
from cxrbench.runs import prune
from cxrbench.runs.store import RunStore
store = RunStore(Path({str(store.folder)!r}))
store.tidy()
print(prune.remove(store, prune.prunable(store, Path({str(arrays)!r}), set(), 30))[0])
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    both = [subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE) for _ in range(2)]
    assert [one.communicate(timeout=60) is not None and one.returncode for one in both] == [0, 0]
    assert {path.name for path in store.folder.iterdir()} == {".grids"}
