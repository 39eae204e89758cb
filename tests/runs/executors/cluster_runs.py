"""What the tests of clusters train, and a driver without a store: runs go to an executor and their files come back."""

import json
import shutil
import time

import numpy as np
import pandas as pd

from cxrbench.config.setting import Setting
from cxrbench.runs.driver import train_all
from cxrbench.runs.executors.local import LocalExecutor
from cxrbench.runs.job import Job
from cxrbench.runs.store import RunStore, read_record

LIMIT_S = 240.0  # for all runs of a test


def make_images(folder):
    """96 noisy squares, half of them with a bright spot, in a .npy file; their rows."""
    target = np.arange(96) % 2
    squares = np.random.default_rng(0).integers(0, 120, (96, 64, 64, 1)).astype("uint8")
    squares[target == 1, 16:48, 16:48] += 110
    np.save(folder / "images.npy", squares)
    columns = {"source": "pneumonia", "image_id": [f"i{k:02}" for k in range(96)], "patient_id": "p"}
    columns |= {"part": np.repeat(["train", "validation", "test"], 32), "target": target, "index": range(96)}
    return pd.DataFrame(columns)


def make_job(folder, rows, run, seed=0, weights=None, **overrides):
    setting = Setting(**{"epochs": 2, "batch_size": 16, **overrides})
    return Job(run, setting.model_dump(), seed, rows, folder / "images.npy", "data", weights)


def counting(epoch_s=0.05):
    """Work that counts epochs, so that a test of the transport waits for no training. ``sgd`` raises, 'rmsprop' exits.

    Its checkpoint holds the epoch and the process; its record what it saw. A function in a function travels by value.
    """

    def start(workers, threads):
        import hashlib
        import os
        import time
        from pathlib import Path

        import numpy as np

        def run(job, written, checkpoint, on_epoch):
            first = 1 + json.loads(checkpoint.read_text())["epoch"] if checkpoint.exists() else 1
            for epoch in range(first, job.setting["epochs"] + 1):
                time.sleep(epoch_s)
                if job.setting["optimizer"] == "sgd":
                    raise ValueError(f"no image is {job.setting['lr']} wide")
                if job.setting["optimizer"] == "rmsprop":
                    os.abort()
                checkpoint.write_text(json.dumps({"epoch": epoch, "pid": os.getpid()}))
                on_epoch(epoch)
            record = {"first": first, "pid": os.getpid(), "workers": workers, "threads": threads}
            record["images"] = int(np.load(job.array, mmap_mode="r").sum())
            if job.weights:
                content = Path(job.weights).read_bytes()
                record["weights"] = [Path(job.weights).name, hashlib.sha256(content).hexdigest()]
            (written / "run.json").write_text(json.dumps(record))
            (written / "model.keras").write_bytes(bytes(200_000))

        return run

    return start


def drive(executor, jobs, folder, on_event=lambda event: None):
    """Hands out ``jobs``, at most as many as there are slots, and a lost one again; every event, in order."""
    waiting, running, told = list(jobs), {}, []
    until = time.monotonic() + LIMIT_S
    try:
        while waiting or running:
            assert time.monotonic() < until, f"not ended: {[*running, *(job.run for job in waiting)]}, told: {told}"
            while waiting and len(running) < executor.slots:
                job = waiting.pop(0)
                running[job.run] = job
                (folder / job.run).mkdir(parents=True)
                executor.submit(job, folder / job.run, folder / f"{job.run}.checkpoint")
            for event in executor.events(0.5):
                told.append(event)
                on_event(event)
                if event.lost:
                    shutil.rmtree(folder / event.run)
                    waiting.append(running[event.run])
                if event.kind != "epoch":
                    del running[event.run]
    finally:
        executor.close()
    return told


def record_of(folder, run):
    return json.loads((folder / run / "run.json").read_text())


def epochs_of(told, run):
    return [event.epoch for event in told if event.run == run and event.kind == "epoch"]


def often_kept(epoch_s=0.2):
    """Real training, slowed down, with a checkpoint after each epoch, so that there is something to go on from."""

    def start(workers, threads):
        import time

        from cxrbench.runs.executors.worker import training
        from cxrbench.training import checkpoint as checkpoints

        train = training(workers, threads)
        checkpoints.AT_LEAST_S, checkpoints.SHARE = 0.0, 1.0

        def run(job, written, checkpoint, on_epoch):
            train(job, written, checkpoint, lambda epoch: (time.sleep(epoch_s), on_epoch(epoch)))

        return run

    return start


def grid(folder, rows):
    jobs = [make_job(folder, rows, f"seed{seed}", seed, epochs=15) for seed in range(3)]
    return [*jobs, make_job(folder, rows, "paper", augment="paper", loss="categorical_focal_crossentropy", epochs=15)]


def train_and_lose_a_node(executor, jobs, folder, kill):
    """Trains through the driver into a store, calls ``kill()`` when two runs are at epoch 5, and trains here too.

    After how many epochs each run went on, and its scores there and here.
    """
    under_way = set()

    def on_epoch(run, epoch):
        if epoch == 5 and len(under_way) < 2:
            under_way.add(run)
            if len(under_way) == 2:
                kill()

    stores = RunStore(folder / "store"), RunStore(folder / "here")
    assert train_all(jobs, stores[0], executor, on_epoch, lambda run: None) == []
    assert len(under_way) == 2
    assert train_all(jobs, stores[1], LocalExecutor(1), lambda run, epoch: None, lambda run: None) == []
    went_on = {job.run: read_record(stores[0].path(job.run))["resumed_after_epoch"] for job in jobs}
    scores = [{job.run: (store.path(job.run) / "scores.csv").read_text() for job in jobs} for store in stores]
    return went_on, *scores
