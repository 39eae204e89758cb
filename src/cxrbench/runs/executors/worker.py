"""The process that trains one run after the other for the local executor, and never outlives its parent.

It tells everything as plain text, so that an exception that can't be pickled, or can't say what it is, is told too.
"""

import contextlib
import json
import os
import pickle
import signal
import threading
import traceback
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from cxrbench.base.errors import CxrbenchError, disk_full
from cxrbench.base.files import write_text
from cxrbench.base.processes import end_with
from cxrbench.runs.job import Job

TIMES = "times.json"
LONGEST_TEXT = 8000  # characters of a reason, or of the end of a traceback

Run = Callable[[Job, Path, Path, Callable[[int], None]], None]  # job, folder to write into, checkpoint, on_epoch
Work = Callable[[int, int], Run]  # how many workers there are, threads of each; called once in a fresh process


def training(workers: int, threads: int) -> Run:
    """Trains runs whole."""
    from cxrbench.training import backend

    backend.start(threads)
    from cxrbench.training.fit import train

    return partial(train, workers=workers, threads=threads)


def timing(workers: int, threads: int) -> Run:
    """Times the epochs of runs and keeps nothing else."""
    from cxrbench.training import backend

    backend.start(threads)
    from cxrbench.training.fit import time_alone

    def run(job: Job, written: Path, checkpoint: Path, on_epoch: Callable[[int], None]) -> None:
        write_text(written / TIMES, json.dumps(time_alone(job, on_epoch, threads)))

    return run


def serve(pipe: Connection, parent: int, work: Work, workers: int, threads: int) -> None:
    """The process: one run after the other, until the parent ends it or goes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    end_with(parent)
    asked: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_listen, args=(pipe, asked), daemon=True).start()
    with contextlib.suppress(OSError):  # the parent has gone
        try:
            run = work(workers, threads)
        except BaseException as error:
            pipe.send(("unable", *why(error)))
            return
        pipe.send(("able",))
        while True:
            pipe.send(_outcome(run, asked.get(), lambda epoch: pipe.send(("epoch", epoch))))


def _outcome(run: Run, asked: bytes, on_epoch: Callable[[int], None]) -> tuple[Any, ...]:
    try:
        job, written, checkpoint = pickle.loads(asked)
        run(job, written, checkpoint, on_epoch)
    except BaseException as error:  # SystemExit too: the process goes on
        return ("failed", *why(error))
    return ("done",)


def why(error: BaseException) -> tuple[str, str]:
    """One line that says why, and the traceback."""
    text = "".join(traceback.format_exception(error))[-LONGEST_TEXT:]
    if isinstance(error, OSError) and disk_full(error):
        return f"{error.strerror}; free some space", text
    last = traceback.format_exception_only(error)[-1]  # also of an error that can't say what it is
    line = str(error) if isinstance(error, CxrbenchError) else last
    return " ".join(line.split())[:LONGEST_TEXT], text


def _listen(pipe: Connection, asked: "SimpleQueue[bytes]") -> None:
    """Hands on what is asked; the end of the pipe is the end of the parent, and of this process at once."""
    while True:
        try:
            asked.put(pipe.recv_bytes())
        except (EOFError, OSError):
            os._exit(1)
