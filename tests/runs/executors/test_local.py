"""Real training of tiny runs in worker processes: repeatable, resumable, honest about divergence."""

import contextlib
import json
import os
import platform
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cxrbench.base.files import sha256_of
from cxrbench.base.tables import read_table
from cxrbench.config.setting import LOSSES, Setting, replace
from cxrbench.runs.driver import time_all, train_all
from cxrbench.runs.executors.local import LocalExecutor
from cxrbench.runs.executors.worker import timing
from cxrbench.runs.job import Job
from cxrbench.runs.store import RunStore
from cxrbench.training import backend

pytestmark = pytest.mark.slow
TINY = Setting(epochs=2, batch_size=16)


@pytest.fixture(scope="module")
def make_job(tmp_path_factory):
    """Makes jobs on 96 noisy squares, half of them with a bright spot."""
    folder = tmp_path_factory.mktemp("images")
    rng = np.random.default_rng(0)
    target = np.arange(96) % 2
    squares = rng.integers(0, 120, (96, 64, 64, 1)).astype("uint8")
    squares[target == 1, 16:48, 16:48] += 110
    np.save(folder / "64.npy", squares)
    large = np.repeat(np.repeat(squares[:, :50, :50], 2, axis=1), 2, axis=2)
    np.save(folder / "100.npy", large)
    part = np.repeat(["train", "validation", "test"], 32)
    rows = pd.DataFrame(
        {
            "source": "pneumonia",
            "image_id": [f"i{k:02}" for k in range(96)],
            "patient_id": "p",
            "part": part,
            "target": target,
        }
    )

    def make(run, setting, seed=0):
        array = folder / f"{setting.image_size}.npy"
        return Job(run, setting.model_dump(), seed, rows.assign(index=range(96)), array, "data")

    return make


def settings_to_start():
    also = {
        "categorical_focal_crossentropy": {"augment": "paper", "optimizer": "rmsprop", "checkpoint": "best"},
        "label_smoothed_crossentropy": {"model": "covid_cnn", "padding": 2},
    }
    yield from ((loss, replace(TINY, {"loss": loss, **also.get(loss, {})})) for loss in LOSSES)
    yield (
        "diverging",
        replace(TINY, {"epochs": 3, "optimizer": "sgd", "lr": 10.0, "loss": "sparse_categorical_crossentropy"}),
    )


@pytest.fixture(scope="module")
def trained(make_job, tmp_path_factory):
    store = RunStore(tmp_path_factory.mktemp("store"))
    jobs = [make_job(name, setting) for name, setting in settings_to_start()]
    jobs += [make_job("again", TINY), make_job("other-seed", TINY, seed=1)]
    epochs, finished = [], []
    assert train_all(jobs, store, LocalExecutor(2), lambda *epoch: epochs.append(epoch), finished.append) == []
    assert sorted(finished) == sorted(job.run for job in jobs)
    for job in jobs:
        done = json.loads((store.path(job.run) / "run.json").read_text())["epochs_done"]
        assert [epoch for run, epoch in epochs if run == job.run] == list(range(1, done + 1))
    return store


def record_of(store, run):
    return json.loads((store.path(run) / "run.json").read_text())


@pytest.mark.parametrize("run", [name for name, _ in settings_to_start() if name != "diverging"])
def test_every_loss_model_and_augmentation_trains_and_scores(trained, run):
    assert trained.has(run)
    record = record_of(trained, run)
    scores = read_table(trained.path(run) / "scores.csv", "scores")
    assert record["status"] == "ok"
    assert scores["part"].value_counts().to_dict() == {"validation": 32, "test": 32}
    assert scores["score"].between(0, 1).all()
    assert len(read_table(trained.path(run) / "history.csv", "history")) == record["setting"]["epochs"]
    assert record["environment"]["keras"]


def test_a_run_records_what_its_times_depend_on(trained):
    record = record_of(trained, "again")
    assert record["timing"] == {
        "workers": 2, "threads": 1, "machine": backend.machine(), "alone": False
    }  # fmt: skip
    assert platform.node() not in json.dumps(record["environment"] | record["timing"])


def test_timing_a_run_alone_changes_its_times_and_nothing_else(trained, make_job):
    files = ("scores.csv", "history.csv", "model.keras")
    before, sums = record_of(trained, "again"), [sha256_of(trained.path("again") / name) for name in files]
    assert not trained.timed_alone("again", backend.machine())
    epochs, timed = [], []
    executor = LocalExecutor(1, timing)
    time_all([make_job("again", TINY)], trained, executor, lambda run, epoch: epochs.append(epoch), timed.append)
    after = record_of(trained, "again")
    assert (epochs, timed) == ([1, 2], ["again"])
    assert after["timing"] == {**before["timing"], "workers": 1, "alone": True}
    assert {name for name in before if before[name] != after[name]} <= {
        "timing",
        "first_epoch_seconds",
        "epoch_seconds",
    }
    assert [sha256_of(trained.path("again") / name) for name in files] == sums
    assert trained.has("again")
    assert trained.timed_alone("again", backend.machine())
    assert not trained.timed_alone("again", "another processor, 64 cores")


@pytest.mark.smoke
@pytest.mark.parametrize("model", ["xception", pytest.param("inception_v3", marks=pytest.mark.torture)])
def test_the_architectures_of_the_profiles_cpu_and_paper_start(make_job, tmp_path, model):
    store = RunStore(tmp_path)
    job = make_job(model, Setting(model=model, image_size=100, epochs=1, batch_size=16))
    assert train_all([job], store, LocalExecutor(1), lambda run, epoch: None, lambda run: None) == []
    assert record_of(store, model)["parameters"] > 20_000_000


def test_a_run_that_diverges_is_recorded_and_stops_nothing(trained):
    assert record_of(trained, "diverging")["status"] == "diverged"
    assert trained.has("diverging")


def test_one_seed_gives_one_result_and_another_seed_another(trained):
    first, again, other = (
        read_table(trained.path(run) / "scores.csv", "scores")["score"]
        for run in ("binary_crossentropy", "again", "other-seed")
    )
    assert first.equals(again)
    assert not first.equals(other)


def test_the_best_checkpoint_is_the_epoch_of_least_validation_loss(trained):
    (run,) = (name for name, setting in settings_to_start() if setting.checkpoint == "best")
    history = read_table(trained.path(run) / "history.csv", "history")
    assert record_of(trained, run)["checkpoint_epoch"] == history["val_loss"].idxmin() + 1


def test_a_worker_that_is_killed_costs_no_run(make_job, tmp_path):
    store, killed = RunStore(tmp_path), []
    jobs = [make_job(f"run{k}", replace(TINY, {"epochs": 2 + 10 * k})) for k in range(2)]

    def kill_at_the_third_epoch(run, epoch):
        if run == "run1" and epoch == 3 and not killed:
            killed.append(kill_children())

    assert train_all(jobs, store, LocalExecutor(2), kill_at_the_third_epoch, lambda run: None) == []
    assert killed
    for job in jobs:
        assert store.has(job.run)
        assert record_of(store, job.run)["epochs_done"] == job.setting["epochs"]
    assert [path.name for path in tmp_path.iterdir() if path.name not in {"run0", "run1", ".grids"}] == []


def kill_children():
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = (folder / "stat").read_text().rsplit(")", 1)[1].split()[1]
            if int(parent) == os.getpid() and "spawn_main" in (folder / "cmdline").read_text():
                os.kill(int(folder.name), signal.SIGKILL)
    return True


BLOCKED = """
import signal
import subprocess
import sys
from multiprocessing.context import SpawnProcess
from cxrbench.runs.executors import local
start = SpawnProcess.start
def started(process):
    from multiprocessing import resource_tracker
    resource_tracker.ensure_running()  # as starting a process does
    print(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ()))
SpawnProcess.start = started
if __name__ == "__main__":
    local._Worker(print, 1, 1)
"""


def test_the_first_worker_of_a_process_starts_with_ctrl_c_blocked(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(BLOCKED)
    told = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    assert told.stdout == "True\n"
