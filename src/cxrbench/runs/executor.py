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

# What a worker knows, set as it starts.
_epochs: Any = None  # the queue that takes (run, finished epoch)
_beside = {"workers": 1, "threads": 1}  # how many workers there are, and the threads of each

OnEpoch = Callable[[str, int], None]
OnRun = Callable[[str], None]


def train_all(jobs: Sequence[Job], store: RunStore, workers: int, on_epoch: OnEpoch, on_run: OnRun) -> None:
    """Trains ``jobs`` into ``store``; calls ``on_epoch(run, epoch)`` and ``on_run(run)`` in this process.

    Raises CxrbenchError where a worker is killed or a run fails; the other finished runs stay in the store.
    """
    _in_workers(_train_one, sorted(jobs, key=_cost, reverse=True), store, workers, on_epoch, on_run)


def time_all(jobs: Sequence[Job], store: RunStore, on_epoch: OnEpoch, on_run: OnRun) -> None:
    """Times ``jobs``, whose runs are in ``store``, one after the other with all threads; only the times are kept."""
    _in_workers(_time_one, jobs, store, 1, on_epoch, on_run)


def _in_workers(
    task: Callable[[Job, Path], None],
    jobs: Sequence[Job],
    store: RunStore,
    workers: int,
    on_epoch: OnEpoch,
    on_run: OnRun,
) -> None:
    """Calls ``task(job, store folder)`` for all jobs in their order, in worker processes of their own threads."""
    if not jobs:
        return
    workers = min(workers, len(jobs))
    threads = max(1, (os.cpu_count() or 1) // workers)
    context = get_context("spawn")
    queue: Queue = context.Queue()
    listener = Thread(target=_listen, args=(queue, on_epoch), daemon=True)
    listener.start()
    start = (workers, threads, queue)
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker, initargs=start)
    try:
        futures = {pool.submit(task, job, store.folder): job for job in jobs}
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
    return job.setting["epochs"] * images * (1 + 2 / job.setting["batch_size"])


def _listen(queue: Queue, on_epoch: Callable[[str, int], None]) -> None:
    while (message := queue.get()) is not None:
        on_epoch(*message)


def _start_worker(workers: int, threads: int, queue: Queue) -> None:
    global _epochs
    from cxrbench.training import backend

    backend.start(threads)
    _epochs = queue
    _beside.update(workers=workers, threads=threads)


def _train_one(job: Job, store_folder: Path) -> None:
    from cxrbench.training.fit import train

    store = RunStore(store_folder)
    written = store.begin(job.run)
    try:
        train(job, written, store.checkpoint(job.run), lambda epoch: _epochs.put((job.run, epoch)), **_beside)
        store.commit(job.run, written)
        store.checkpoint(job.run).unlink(missing_ok=True)
    finally:
        shutil.rmtree(written, ignore_errors=True)


def _time_one(job: Job, store_folder: Path) -> None:
    from cxrbench.training.fit import time_alone

    times = time_alone(job, lambda epoch: _epochs.put((job.run, epoch)), _beside["threads"])
    RunStore(store_folder).amend_record(job.run, times)
