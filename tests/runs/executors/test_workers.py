"""Worker processes that fail, die or are left alone in every way: each costs its own run, and nobody waits for ever."""

import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter

import psutil
import pytest

from cxrbench.base.errors import CxrbenchError
from cxrbench.runs import driver
from cxrbench.runs.driver import train_all
from cxrbench.runs.executors.local import STILLBORN, LocalExecutor
from cxrbench.runs.store import RunStore
from tests.runs import quick_jobs
from tests.runs.quick_jobs import begun, job

pytestmark = pytest.mark.slow
KILLS = 20
SCRIPT = """
import signal, sys
from pathlib import Path
from cxrbench.runs.driver import train_all
from cxrbench.runs.executors.local import LocalExecutor
from cxrbench.runs.store import RunStore
from tests.runs import quick_jobs
if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background process inherits that it is ignored
    folder, do, *runs = sys.argv[1:]
    jobs = [quick_jobs.job(run, Path(folder, "log"), do) for run in runs]
    executor = LocalExecutor(2, quick_jobs.quickly)
    failures = train_all(jobs, RunStore(Path(folder, "store")), executor, lambda run, epoch: None, print)
    sys.exit(len(failures))
"""


@pytest.fixture
def store(tmp_path):
    return RunStore(tmp_path / "store")


@pytest.fixture
def log(tmp_path):
    return tmp_path / "log"


def drive(jobs, store, slots=2, on_epoch=lambda run, epoch: None):
    there = []
    failures = train_all(jobs, store, LocalExecutor(slots, quick_jobs.quickly), on_epoch, there.append)
    assert children() == []
    assert sorted([*there, *(one.run for one in failures)]) == sorted(one.run for one in jobs)
    assert all(store.has(run) for run in there)
    return {one.run: one for one in failures}


def another_process(tmp_path, do, *runs):
    (tmp_path / "main.py").write_text(SCRIPT)
    return subprocess.Popen(
        [sys.executable, tmp_path / "main.py", tmp_path, do, *runs],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def children(of=None):
    """The living workers of a process."""
    found = []
    for child in psutil.Process(of).children():
        try:
            if "spawn_main" in " ".join(child.cmdline()) and child.status() != psutil.STATUS_ZOMBIE:
                found.append(child)
        except psutil.NoSuchProcess:
            continue
    return found


def until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return result


def test_every_way_to_fail_costs_its_own_run_and_says_why(store, log):
    words = list(quick_jobs.ENDS)
    jobs = [job(f"bad{k}", log, word) for k, word in enumerate(words)]
    jobs += [job(f"good{k}", log) for k in range(4)]
    failures = drive(jobs, store)
    assert sorted(failures) == sorted(f"bad{k}" for k in range(len(words)))
    assert {one.times for one in failures.values()} == {2}
    reasons = {word: failures[f"bad{k}"].reason for k, word in enumerate(words)}
    assert reasons["raise at length"].startswith("ValueError: xxx")
    assert len(reasons.pop("raise at length")) < 10_000
    assert "Unspeakable" in reasons.pop("raise what can't be said")
    killed = "its process was killed, as where memory runs out; lower workers or batch_size"
    assert reasons == {
        "raise": "ValueError: no such thing",
        "raise what can't be pickled": "tests.runs.quick_jobs.Unpicklable: can't be pickled",
        "exit": "SystemExit: 3",
        "leave": "its process ended with exit code 0",
        "segfault": "its process was ended by signal SIGSEGV",
        "out of memory": killed,
        "die while telling": killed,
        "full disk": "No space left on device; free some space",
    }
    assert "raise error" in failures["bad0"].traceback
    assert Counter(begun(log)) == {**{f"bad{k}": 2 for k in range(len(words))}, **{f"good{k}": 1 for k in range(4)}}


def test_a_run_that_fails_once_succeeds_alone(store, log):
    jobs = [job("a", log, "fail once"), job("b", log, "die once"), *(job(f"c{k}", log) for k in range(3))]
    assert drive(jobs, store) == {}
    assert sorted(begun(log)[-2:]) == ["a", "b"]
    assert store.failure("a") is None


def test_warm_workers_take_the_next_run(store, log):
    assert drive([job(f"c{k}", log) for k in range(6)], store) == {}
    assert len({line.split()[1] for line in log.read_text().splitlines()}) == 2


def test_workers_killed_at_random_moments_hang_nobody_and_lose_nothing(store, log):
    rng, kills, epochs = random.Random(0), [], []
    ended = threading.Event()

    def kill():
        while len(kills) < KILLS and not ended.is_set():
            if len(kills) % 2:  # at any moment, also while a worker starts; else soon after an epoch
                time.sleep(rng.uniform(0, 0.5))
            else:
                epochs.clear()
                until(lambda: epochs or ended.is_set())
                time.sleep(rng.uniform(0, 0.05))
            if victims := children():
                rng.choice(victims).kill()
                kills.append(time.monotonic())

    killer = threading.Thread(target=kill)
    killer.start()
    jobs = [job(f"run{k}", log, epochs=4) for k in range(24)]
    try:
        calls = 0
        while len(kills) < KILLS or not all(store.has(one.run) for one in jobs):
            calls += 1
            assert calls < 12
            if all(store.has(one.run) for one in jobs):
                jobs = [job(f"more{calls}-{k}", log, epochs=4) for k in range(24)]
            drive(jobs, store, on_epoch=lambda *epoch: epochs.append(epoch))
    finally:
        ended.set()
        killer.join()
    assert len(kills) == KILLS
    assert all(store.has(one.run) for one in jobs)
    store.tidy()
    assert [path.name for path in store.folder.glob(".*") if path.name != ".grids"] == []


def test_where_no_worker_can_start_no_run_is_blamed(store, log):
    with pytest.raises(CxrbenchError, match=re.escape("no run can be trained here: ImportError: libcudart.so is not")):
        train_all([job("a", log)], store, LocalExecutor(1, quick_jobs.unable), None, None)
    jobs = [job(f"a{k}", log) for k in range(2 + STILLBORN)]
    with pytest.raises(CxrbenchError, match="no run can be trained here: a worker that starts was killed"):
        train_all(jobs, store, LocalExecutor(1, quick_jobs.still_born), None, None)
    assert children() == []


def test_two_processes_on_one_store_train_each_run_once(tmp_path, store, log):
    runs = [f"run{k}" for k in range(16)]
    both = [another_process(tmp_path, "train", *order) for order in (runs, runs[::-1])]
    told = [one.communicate(timeout=120) for one in both]
    assert [one.returncode for one in both] == [0, 0], told
    assert Counter(begun(log)) == dict.fromkeys(runs, 1)
    assert [sorted(out.split()) for out, _ in told] == [sorted(runs)] * 2
    assert len({line.split()[1] for line in log.read_text().splitlines()}) > 2  # both had a share


def test_a_killed_driver_takes_its_workers_along_and_its_claims_are_taken_over(tmp_path, store, log, monkeypatch):
    monkeypatch.setattr(driver, "PATIENCE_SECONDS", 0.05)
    (tmp_path / "hold").touch()
    other = another_process(tmp_path, "wait", "a", "b")
    until(lambda: log.exists() and len(begun(log)) == 2)
    workers = children(other.pid)
    assert len(workers) == 2
    assert store.claimed_by("a")["pid"] == other.pid

    def kill_the_other(run, epoch):
        if run == "c" and other.poll() is None:
            assert store.claimed_by("a")
            other.kill()
            other.wait()
            (tmp_path / "hold").unlink()

    assert drive([job(run, log) for run in "abc"], store, on_epoch=kill_the_other) == {}
    assert Counter(begun(log)) == {"a": 2, "b": 2, "c": 1}
    assert not any(worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE for worker in workers)
    store.tidy()
    assert {path.name for path in store.folder.iterdir()} == {"a", "b", "c", ".grids"}


def test_ctrl_c_ends_every_worker_quietly(tmp_path, store, log):
    (tmp_path / "hold").touch()
    other = another_process(tmp_path, "wait", "a", "b")
    until(lambda: log.exists() and len(begun(log)) == 2)
    workers = children(other.pid)
    os.killpg(other.pid, signal.SIGINT)  # as a terminal does: to all of them
    _, told = other.communicate(timeout=60)
    assert other.returncode == -signal.SIGINT
    assert told.count("Traceback") == 1  # the parent's; no child adds its own
    assert not any(worker.is_running() for worker in workers)
    assert [path.name for path in store.folder.iterdir()] == [".grids"]


def test_ctrl_c_while_workers_start_is_as_quiet(tmp_path):
    other = another_process(tmp_path, "train", "a", "b")
    until(lambda: children(other.pid))
    os.killpg(other.pid, signal.SIGINT)
    _, told = other.communicate(timeout=60)
    assert told.count("Traceback") == 1
    assert "KeyboardInterrupt" in told
