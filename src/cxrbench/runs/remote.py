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
from cxrbench.base.progress import progress
from cxrbench.runs.executor import train_all
from cxrbench.runs.store import RunStore
from cxrbench.runs.travel import RUNS, exported_jobs
from cxrbench.training.backend import BACKENDS


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m cxrbench.runs.remote", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--workers", type=int, default=1, help="runs trained side by side (default: %(default)s)")
    options = parser.parse_args()
    try:
        train(options.folder.resolve(), options.workers)
    except CxrbenchError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def train(folder: Path, workers: int) -> None:
    """Trains the jobs of ``folder`` that it holds no finished run of, on KERAS_BACKEND or else an installed one."""
    name = os.environ.setdefault("KERAS_BACKEND", _installed_backend())
    store = RunStore(folder / RUNS)
    jobs = [job for job in exported_jobs(folder) if not store.has(job.run)]
    print(f"{len(jobs)} runs to train with {name}, {workers} side by side", flush=True)
    with progress("epochs trained", sum(job.setting["epochs"] for job in jobs)) as advance:
        train_all(jobs, store, workers, lambda run, epoch: advance(1, f"run {run}, epoch {epoch}"), lambda run: None)


def _installed_backend() -> str:
    for name in BACKENDS:
        if importlib.util.find_spec(name):
            return name
    raise CxrbenchError(f"none of {', '.join(BACKENDS)} is installed here; install one beside keras")


if __name__ == "__main__":
    sys.exit(main())
