"""What a second node brings, and what a grid of the papers' size costs on 1, 8 and 64 GPUs.

Two nodes against one, each a core of this machine to which its processes are pinned, and beside it what the two cores
reach without any engine: two cores of one machine share its memory and its clock.

    python benchmarks/clusters.py ray
    python benchmarks/clusters.py slurm
    python benchmarks/clusters.py cost MODEL[:BATCH]=SECONDS ...     seconds an epoch at 224 px, measured on one GPU

The last one lays the runs of the profile paper, the longest first, on whichever GPU is free.
"""

import contextlib
import dataclasses
import heapq
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))  # for tests.runs, which starts a Slurm

from cxrbench.config import params
from cxrbench.config.setting import Setting
from cxrbench.runs.executors import Executor
from cxrbench.runs.executors.worker import training
from cxrbench.runs.job import Job

RUNS, EPOCHS, IMAGES = 8, 12, {"train": 2930, "validation": 2426, "test": 500}
START_S = 30.0  # of a slot: imports and the first trace
GPUS = (1, 8, 64)


def jobs_in(folder: Path) -> list[Job]:
    """Runs of the 105,761-parameter network at 64 px on noise, with the papers' quotas."""
    count = sum(IMAGES.values())
    rng = np.random.default_rng(0)
    np.save(folder / "images.npy", rng.integers(0, 256, (count, 64, 64, 1), dtype="uint8"))
    part = np.repeat(list(IMAGES), list(IMAGES.values()))
    names = {"source": "pneumonia", "image_id": [f"i{k}" for k in range(count)], "patient_id": "p"}
    rows = pd.DataFrame({**names, "part": part, "target": rng.integers(0, 2, count), "index": range(count)})
    setting = Setting(epochs=EPOCHS).model_dump()
    return [Job(f"run{seed}", setting, seed, rows, folder / "images.npy", "noise") for seed in range(RUNS)]


def seconds_on(executor: Executor, jobs: Sequence[Job], folder: Path) -> float:
    """From the first run's submission to the last one's end; the processes of the nodes start within it."""
    started, waiting, running = time.monotonic(), list(jobs), 0
    try:
        while waiting or running:
            while waiting and running < executor.slots:
                job, running = waiting.pop(), running + 1
                (folder / job.run).mkdir()
                executor.submit(job, folder / job.run, folder / f"{job.run}.checkpoint")
            for event in executor.events(0.5):
                if event.kind == "failed":
                    raise RuntimeError(f"{event.run}: {event.reason}")
                running -= event.kind == "done"
        return time.monotonic() - started
    finally:
        executor.close()


@contextlib.contextmanager
def ray_nodes(cores: Sequence[int], folder: Path) -> Iterator[Executor]:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster

    from cxrbench.runs.executors.on_ray import RayExecutor

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    everywhere = os.sched_getaffinity(0)
    try:
        for core in cores:
            os.sched_setaffinity(0, {core})  # which what is started from here inherits
            cluster.add_node(num_cpus=1)
        os.sched_setaffinity(0, everywhere)
        yield RayExecutor(None, cluster.address)
    finally:
        os.sched_setaffinity(0, everywhere)
        cluster.shutdown()


@contextlib.contextmanager
def slurm_nodes(cores: Sequence[int], folder: Path) -> Iterator[Executor]:
    from cxrbench.runs.executors.on_slurm import SlurmExecutor
    from tests.runs.executors.slurm_cluster import slurm_cluster

    options = f"partition=all cpus_per_task=1 jobs={len(cores)} runs={RUNS // len(cores)}"
    with slurm_cluster({f"n{number}": core for number, core in enumerate(cores, 1)}):
        yield SlurmExecutor(folder / "slurm", options)


def seconds_without(cores: Sequence[int], jobs: Sequence[Job], folder: Path) -> float:
    """The same runs by one process on each core that share nothing."""
    with ProcessPoolExecutor(len(cores), mp_context=multiprocessing.get_context("spawn")) as pool:
        started = time.monotonic()
        parts = [pool.submit(_train_on, core, jobs[k :: len(cores)], folder) for k, core in enumerate(cores)]
        for part in parts:
            part.result()
        return time.monotonic() - started


def _train_on(core: int, jobs: Sequence[Job], folder: Path) -> None:
    os.sched_setaffinity(0, {core})
    run = training(1, 1)
    for job in jobs:
        (folder / job.run).mkdir()
        run(job, folder / job.run, folder / f"{job.run}.checkpoint", lambda epoch: None)


def scaling(engine: str) -> None:
    cores = sorted(os.sched_getaffinity(0))[:2]
    nodes = {"ray": ray_nodes, "slurm": slurm_nodes}[engine]
    print(f"{RUNS} runs of {EPOCHS} epochs | one node | two nodes | efficiency")
    print("|---|---:|---:|---:|")
    for name in ("no engine", engine):
        seconds = []
        for used in (cores[:1], cores):
            with tempfile.TemporaryDirectory() as folder:
                jobs = jobs_in(Path(folder))
                if name == engine:
                    with nodes(used, Path(folder)) as executor:
                        seconds.append(seconds_on(executor, jobs, Path(folder)))
                else:
                    seconds.append(seconds_without(used, jobs, Path(folder)))
        one, two = seconds
        print(f"| {name} | {one:.1f} s | {two:.1f} s | {one / 2 / two:.2f} |", flush=True)


def cost(measured: dict[str, float]) -> None:
    runs = {dataclasses.replace(run, study="", label="", alone=False) for run in paper_runs()}
    lengths = sorted((START_S + run.setting.epochs * seconds_of(run.setting, measured) for run in runs), reverse=True)
    print(f"{len(runs)} runs, {sum(lengths) / 3600:.1f} GPU hours, the longest {lengths[0] / 3600:.2f} h\n")
    print("| GPUs | hours | of its GPUs' time used |")
    print("|---:|---:|---:|")
    for gpus in GPUS:
        free = [0.0] * gpus
        for length in lengths:
            heapq.heapreplace(free, free[0] + length)
        print(f"| {gpus} | {max(free) / 3600:.2f} | {sum(lengths) / gpus / max(free):.0%} |")


def paper_runs() -> list["params.PlannedRun"]:
    from hydra import compose, initialize_config_dir
    from omegaconf import OmegaConf

    with initialize_config_dir(str(Path(__file__).parents[1] / "conf"), version_base=None):
        tree = OmegaConf.to_container(compose("config", overrides=["profile=paper", "data=kaggle"]), resolve=True)
    return params.parse(tree).planned_runs()


def seconds_of(setting: Setting, measured: dict[str, float]) -> float:
    for key in (f"{setting.model}:{setting.batch_size}", setting.model):
        if key in measured:
            return measured[key]
    sys.exit(
        f"how long does an epoch of {setting.model} take at batch {setting.batch_size}? Say {setting.model}=SECONDS"
    )


if __name__ == "__main__":
    what, *given = sys.argv[1:] or [""]
    if what == "cost":
        cost({key: float(seconds) for key, _, seconds in (word.partition("=") for word in given)})
    elif what in ("ray", "slurm"):
        scaling(what)
    else:
        sys.exit(__doc__)
