"""The process of a slot on a Ray cluster: it trains one run after the other from what was sent, and sends all back.

Images and weights lie in files without a name, which go with the process however it ends: nothing of a patient stays
on a node.
"""

import dataclasses
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any

import ray

from cxrbench.base.errors import CxrbenchError
from cxrbench.runs.executors import Event
from cxrbench.runs.executors.worker import Work, why
from cxrbench.runs.job import Job
from cxrbench.training import backend

Message = tuple[Event, dict[str, bytes]]  # an event and the files that belong to it: name -> content


class Process:
    """Trains in one thread, since Keras keeps settings for each thread; the other one hands on what that tells."""

    def start(self, versions: dict[str, str], work: Work, workers: int, threads: int) -> None:
        """Raises CxrbenchError where other ``versions`` than the driver's would compute."""
        if backend.versions() != versions:
            raise CxrbenchError(f"it has {backend.versions()}, and this machine {versions}; install the same there")
        self._files: dict[str, IO[bytes]] = {}  # the driver's path -> the file here
        self._thread = ThreadPoolExecutor(1)
        self._run = self._thread.submit(work, workers, threads).result()

    @ray.method(max_task_retries=0)
    def train(
        self, job: Job, stored: dict[str, Any], name: str, kept: bytes | None, every_s: float
    ) -> Iterator[Message]:
        """``stored``: path of an input file -> its bytes in the object store. ``kept``: the checkpoint, if any.

        A changed checkpoint goes with an epoch, at most every ``every_s`` seconds; the run's files go with "done".
        """
        for path in stored.keys() - self._files.keys():
            self._files[path] = tempfile.TemporaryFile()  # noqa: SIM115
            ray.get(stored[path]).tofile(self._files[path])
            self._files[path].flush()
        told: SimpleQueue[Message] = SimpleQueue()
        self._thread.submit(self._train, job, name, kept, every_s, told)
        while True:
            message = told.get()
            yield message
            if message[0].kind != "epoch":
                return

    def _train(self, job: Job, name: str, kept: bytes | None, every_s: float, told: "SimpleQueue[Message]") -> None:
        with tempfile.TemporaryDirectory() as folder:
            written, checkpoint = Path(folder, "written"), Path(folder, name)
            written.mkdir()
            if kept is not None:
                checkpoint.write_bytes(kept)
            sent, sent_at = _time_of(checkpoint), time.monotonic()

            def on_epoch(epoch: int) -> None:
                nonlocal sent, sent_at
                files = {}
                if _time_of(checkpoint) > sent and time.monotonic() - sent_at >= every_s:
                    sent, sent_at = _time_of(checkpoint), time.monotonic()
                    files = {name: checkpoint.read_bytes()}
                told.put((Event(job.run, "epoch", epoch=epoch), files))

            try:
                self._run(self._localised(job, Path(folder)), written, checkpoint, on_epoch)
                told.put((Event(job.run, "done"), {path.name: path.read_bytes() for path in written.iterdir()}))
            except BaseException as error:  # SystemExit too: the process goes on
                reason, traceback = why(error)
                told.put((Event(job.run, "failed", reason=reason, traceback=traceback), {}))

    def _localised(self, job: Job, folder: Path) -> Job:
        """``job`` with the paths of its files here, which have the endings that their readers ask for."""
        paths: dict[str | None, Path] = {}
        for path in self._files.keys() & {str(job.array), job.weights}:
            paths[path] = folder / Path(path).name
            paths[path].symlink_to(f"/proc/self/fd/{self._files[path].fileno()}")
        weights = str(paths[job.weights]) if job.weights in paths else job.weights
        return dataclasses.replace(job, array=paths[str(job.array)], weights=weights, features=None)


def _time_of(path: Path) -> int:
    return path.stat().st_mtime_ns if path.exists() else 0
