"""Trains many runs, some side by side, each in a worker process of its own threads.

A run that is done is in the store before the next begins, so a killed grid goes on where it was.
"""

import os
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from multiprocessing.queues import Queue
from pathlib import Path
from threading import Thread
from typing import Any

from cxrbench.base.errors import CxrbenchError
from cxrbench.runs.job import Job
from cxrbench.runs.store import RunStore

_epochs: Any = None  # a worker's way to tell of finished epochs


def train_all(
    jobs: Sequence[Job],
    store: RunStore,
    workers: int,
    on_epoch: Callable[[str, int], None],
    on_run: Callable[[str], None],
) -> None:
    """Trains ``jobs`` into ``store``; calls ``on_epoch(run, epoch)`` and ``on_run(run)`` in this process.

    Raises CxrbenchError where a worker is killed or a run fails; the other finished runs stay in the store.
    """
    if not jobs:
        return
    workers = min(workers, len(jobs))
    threads = max(1, (os.cpu_count() or 1) // workers)
    context = get_context("spawn")
    queue: Queue = context.Queue()
    listener = Thread(target=_listen, args=(queue, on_epoch), daemon=True)
    listener.start()
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker, initargs=(threads, queue))
    try:
        futures = {pool.submit(_train_one, job, store.folder): job for job in sorted(jobs, key=_cost, reverse=True)}
        for future in as_completed(futures):
            job = futures[future]
            try:
                future.result()
            except BrokenProcessPool:
                raise CxrbenchError(
                    f"a training process was killed, probably for want of memory, {workers} ran side by side;"
                    " lower workers or batch_size and run again: finished runs are kept"
                ) from None
            on_run(job.run)
    except BaseException:
        for process in list((pool._processes or {}).values()):
            process.kill()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
        queue.put(None)
        listener.join()


def _cost(job: Job) -> float:
    """Longest first, so that no long run begins when all others are done; small batches take longer."""
    images = int((job.rows["part"] == "train").sum())
    return job.setting.epochs * images * (1 + 2 / job.setting.batch_size)


def _listen(queue: Queue, on_epoch: Callable[[str, int], None]) -> None:
    while (message := queue.get()) is not None:
        on_epoch(*message)


def _start_worker(threads: int, queue: Queue) -> None:
    global _epochs
    from cxrbench.training import backend

    backend.start(threads)
    _epochs = queue


def _train_one(job: Job, store_folder: Path) -> None:
    from cxrbench.training.fit import train

    store = RunStore(store_folder)
    written = store.begin(job.run)
    try:
        train(job, written, lambda epoch: _epochs.put((job.run, epoch)))
        store.commit(job.run, written)
    finally:
        shutil.rmtree(written, ignore_errors=True)
