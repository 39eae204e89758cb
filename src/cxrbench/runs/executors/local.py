"""Runs side by side on this machine, each in a worker process with a pipe of its own.

Nothing is shared between workers, so that one that is killed at any instruction costs its own run and hangs nobody;
a new one takes its place. Workers stay for the next run, since TensorFlow takes seconds to start, and a run goes to
the worker that has just trained one of the same graph. A worker that there is no work for is ended: its memory and
cores are for the others.
"""

import contextlib
import os
import pickle
import signal
from multiprocessing import connection, get_context, resource_tracker
from pathlib import Path

from cxrbench.base.errors import CxrbenchError
from cxrbench.runs.executors import Event
from cxrbench.runs.executors.worker import Work, serve, training
from cxrbench.runs.job import Job, graph_of

STILLBORN = 3  # workers of a slot that may die one after the other before one is able to work


class LocalExecutor:
    """Trains up to ``slots`` runs at a time, each with the threads of its setting."""

    def __init__(self, slots: int, work: Work = training) -> None:
        self.slots = slots
        self._work = work
        self._idle: list[_Worker] = []
        self._busy: dict[str, _Worker] = {}
        self._stillborn = 0

    def submit(self, job: Job, written: Path, checkpoint: Path) -> None:
        for dead in [one for one in self._idle if one.process.exitcode is not None]:
            self._idle.remove(dead)
            dead.stop()
        graph, threads = graph_of(job), int(job.setting["threads"])
        able = sorted((one for one in self._idle if one.threads == threads), key=lambda one: one.graph != graph)
        worker = able[0] if able else None
        if worker:
            self._idle.remove(worker)
        else:
            worker = _Worker(self._work, self.slots, threads)
        self._busy[job.run] = worker
        worker.hand(job, written, checkpoint)

    def events(self, timeout_s: float) -> list[Event]:
        """Raises CxrbenchError where workers can't start: then no run can be trained."""
        while self._idle:
            self._idle.pop().stop()
        waited_for = [one for worker in self._busy.values() for one in (worker.pipe, worker.process.sentinel)]
        connection.wait(waited_for, timeout_s)
        return [event for run, worker in list(self._busy.items()) for event in self._heard(run, worker)]

    def close(self) -> None:
        workers = [*self._busy.values(), *self._idle]
        self._busy.clear()
        self._idle.clear()
        for worker in workers:
            worker.process.kill()
        for worker in workers:
            worker.stop()

    def _heard(self, run: str, worker: "_Worker") -> list[Event]:
        """What a busy worker has told by now; its death too, after all that it still told."""
        dead = worker.process.exitcode is not None  # asked first: whatever it told is in the pipe by then
        events = []
        while run in self._busy:
            try:
                message = worker.pipe.recv() if worker.pipe.poll() else None
            except (EOFError, OSError, pickle.UnpicklingError):  # it died, perhaps in the middle of a message
                message, dead = None, True
            if message is None and not dead:
                break
            events += self._told(run, worker, *message) if message else self._lost(run, worker)
        return events

    def _told(self, run: str, worker: "_Worker", kind: str, *rest: str) -> list[Event]:
        if kind == "able":
            worker.able, self._stillborn = True, 0
            return []
        if kind == "unable":
            raise CxrbenchError(f"no run can be trained here: {rest[0]}")
        if kind == "epoch":
            return [Event(run, kind, epoch=int(rest[0]))]
        del self._busy[run]
        if kind == "done":
            self._idle.append(worker)
            return [Event(run, kind)]
        worker.stop()  # what a run that failed leaves in its process is unknown
        return [Event(run, kind, reason=rest[0], traceback=rest[1])]

    def _lost(self, run: str, worker: "_Worker") -> list[Event]:
        del self._busy[run]
        worker.stop()
        self._stillborn += not worker.able
        if self._stillborn > STILLBORN * self.slots:
            raise CxrbenchError(f"no run can be trained here: a worker that starts {worker.ending()}")
        return [Event(run, "failed", reason=f"its process {worker.ending()}", lost=True)]


class _Worker:
    """A process, the pipe to it, and the graph that it trained last."""

    def __init__(self, work: Work, workers: int, threads: int) -> None:
        context = get_context("spawn")  # a forked copy of a process that has threads may hang
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, os.getpid(), work, workers, threads), daemon=True)
        resource_tracker.ensure_running()  # which would else be started within the block and lift it
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # until the child ignores it
        try:
            self.process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        theirs.close()  # so that its death is the pipe's end
        self.threads = threads
        self.graph: tuple[object, ...] = ()
        self.able = False

    def hand(self, job: Job, written: Path, checkpoint: Path) -> None:
        self.graph = graph_of(job)
        with contextlib.suppress(OSError):  # it has died, which ``events`` will tell
            self.pipe.send_bytes(pickle.dumps((job, written, checkpoint)))

    def ending(self) -> str:
        """How the process came to die, as the end of a sentence."""
        code = self.process.exitcode or 0
        if code == -signal.SIGKILL:
            return "was killed, as where memory runs out; lower workers or batch_size"
        return f"was ended by signal {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"

    def stop(self) -> None:
        self.process.kill()
        self.process.join()
        self.pipe.close()
