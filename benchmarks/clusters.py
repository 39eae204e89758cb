"""What a second node brings, and what a grid of the papers' size costs on 1, 8 and 64 GPUs.

Two nodes against one, each a core of this machine to which its processes are pinned. Beside it stands what the two
cores reach without any engine, since they share memory, cache and clock, and what the engine reaches with epochs that
only wait, which is its own loss: to start processes, to move files, to hand out runs.

    python benchmarks/clusters.py ray [RUNS EPOCHS]
    python benchmarks/clusters.py slurm [RUNS EPOCHS]
    python benchmarks/clusters.py ray|slurm waiting [RUNS EPOCHS]      the last row alone, also beside other work
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
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))  # for tests.runs, which starts a Slurm

from cxrbench.config import params
from cxrbench.config.setting import Setting
from cxrbench.runs.executors import Executor
from cxrbench.runs.executors.worker import Run, Work, training
from cxrbench.runs.job import Job

IMAGES = {"train": 2930, "validation": 2426, "test": 500}
WAIT_S = 1.0  # an epoch that only waits
START_S = 30.0  # of a slot: imports and the first trace
GPUS = (1, 8, 64)


def jobs_in(folder: Path, runs: int, epochs: int) -> list[Job]:
    """Runs of the 105,761-parameter network at 64 px on noise, with the papers' quotas."""
    count = sum(IMAGES.values())
    rng = np.random.default_rng(0)
    np.save(folder / "images.npy", rng.integers(0, 256, (count, 64, 64, 1), dtype="uint8"))
    part = np.repeat(list(IMAGES), list(IMAGES.values()))
    names = {"source": "pneumonia", "image_id": [f"i{k}" for k in range(count)], "patient_id": "p"}
    rows = pd.DataFrame({**names, "part": part, "target": rng.integers(0, 2, count), "index": range(count)})
    setting = Setting(epochs=epochs).model_dump()
    return [Job(f"run{seed}", setting, seed, rows, folder / "images.npy", "noise") for seed in range(runs)]


def waiting() -> Work:
    """Epochs that take WAIT_S seconds and no core. A function in a function travels by value."""
    wait_s = WAIT_S

    def start(workers: int, threads: int) -> Run:
        def run(job: Job, written: Path, checkpoint: Path, on_epoch: Callable[[int], None]) -> None:
            for epoch in range(1, job.setting["epochs"] + 1):
                time.sleep(wait_s)
                on_epoch(epoch)
            (written / "run.json").write_text("{}")

        return run

    return start


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
def ray_nodes(cores: Sequence[int], runs: int, folder: Path, work: Work) -> Iterator[Executor]:
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
        yield RayExecutor(None, cluster.address, work)
    finally:
        os.sched_setaffinity(0, everywhere)
        cluster.shutdown()


@contextlib.contextmanager
def slurm_nodes(cores: Sequence[int], runs: int, folder: Path, work: Work) -> Iterator[Executor]:
    from cxrbench.runs.executors.on_slurm import SlurmExecutor
    from tests.runs.executors.slurm_cluster import slurm_cluster

    options = f"partition=all cpus_per_task=1 jobs={len(cores)} runs={-(-runs // len(cores))}"
    with slurm_cluster({f"n{number}": core for number, core in enumerate(cores, 1)}):
        yield SlurmExecutor(folder / "slurm", options, work)


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


def scaling(engine: str, rows: Sequence[str], runs: int = 8, epochs: int = 12) -> None:
    cores = sorted(os.sched_getaffinity(0))[:2]
    nodes = {"ray": ray_nodes, "slurm": slurm_nodes}[engine]
    print(f"| {runs} runs of {epochs} epochs | one node | two nodes | efficiency |")
    print("|---|---:|---:|---:|")
    for row in rows:
        seconds = []
        for used in (cores[:1], cores):
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                jobs = jobs_in(folder, runs, epochs)
                if row == "no engine":
                    seconds.append(seconds_without(used, jobs, folder))
                    continue
                with nodes(used, runs, folder, waiting() if row == "waiting" else training) as executor:
                    seconds.append(seconds_on(executor, jobs, folder))
        one, two = seconds
        print(f"| {row} | {one:.1f} s | {two:.1f} s | {one / 2 / two:.2f} |", flush=True)


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
        tree = OmegaConf.to_container(compose("config", overrides=["profile=paper"]), resolve=True)
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
        alone = given[:1] == ["waiting"]
        scaling(what, ["waiting"] if alone else ["no engine", what, "waiting"], *map(int, given[alone:]))
    else:
        sys.exit(__doc__)
