"""Trains the runs of a folder that 'cxrbench grid --export' wrote, on a machine that has Keras and no more.

Needs neither DVC, MLflow nor Great Expectations. A finished run stays in the folder, so the same command goes on
where it was ended.
"""

import argparse
import importlib.util
import os
import sys
from pathlib import Path

from cxrbench.base.errors import CxrbenchError
from cxrbench.runs.driver import RunsFailed, train_all
from cxrbench.runs.executors.local import LocalExecutor
from cxrbench.runs.side_by_side import side_by_side
from cxrbench.runs.store import RunStore
from cxrbench.runs.travel import RUNS, exported_jobs
from cxrbench.runs.watch import watched
from cxrbench.training.backend import BACKENDS


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m cxrbench.runs.remote", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--workers", type=int, help="runs trained side by side (default: what the machine holds)")
    options = parser.parse_args()
    try:
        train(options.folder.resolve(), options.workers)
    except CxrbenchError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def train(folder: Path, workers: int | None) -> None:
    """Trains the jobs of ``folder`` that it holds no finished run of, on KERAS_BACKEND or else an installed one."""
    name = os.environ.setdefault("KERAS_BACKEND", _installed_backend())
    store = RunStore(folder / RUNS)
    jobs = [job for job in exported_jobs(folder) if not store.has(job.run)]
    if not jobs:
        print("all runs of this folder are trained")
        return
    slots, why = side_by_side(jobs, workers)
    print(f"{len(jobs)} runs to train with {name}, {slots} at a time ({why})", flush=True)
    titles = {job.run: f"run {job.run}" for job in jobs}
    with watched("epochs trained", jobs, titles, lambda run: None) as watching:
        failures = train_all(jobs, store, LocalExecutor(slots), *watching)
    if failures:
        raise RunsFailed(failures, titles, store)


def _installed_backend() -> str:
    for name in BACKENDS:
        if importlib.util.find_spec(name):
            return name
    raise CxrbenchError(f"none of {', '.join(BACKENDS)} is installed here; install one beside keras")


if __name__ == "__main__":
    sys.exit(main())
