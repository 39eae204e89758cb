"""Brings runs into the store: claims each, hands it to an executor, keeps what comes back, tries a failure again.

Several drivers share the work of one store. A run that another one holds is left to it and looked at again when it is
free. A run that fails costs no other: it is tried once more, alone, when all others are done, and if it fails again
the store keeps the reason.
"""

import dataclasses
import datetime
import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.files import write_text
from cxrbench.runs.claims import Claim
from cxrbench.runs.executors import Event, Executor
from cxrbench.runs.executors.worker import TIMES
from cxrbench.runs.job import Job, graph_of
from cxrbench.runs.store import FILES, RECORD, Failure, RunStore, read_record
from cxrbench.training.backend import machine

PATIENCE_SECONDS = 0.5  # between two looks at the runs of other processes

OnEpoch = Callable[[str, int], None]
OnRun = Callable[[str], None]
OnFailure = Callable[[str, str], None]


def in_silence(run: str, reason: str) -> None:
    """An OnFailure for callers that read the failures at the end."""


def train_all(
    jobs: Sequence[Job],
    store: RunStore,
    executor: Executor,
    on_epoch: OnEpoch,
    on_run: OnRun,
    on_failure: OnFailure = in_silence,
) -> list[Failure]:
    """Trains ``jobs`` into ``store``; the failures of those that are not there at the end.

    Calls ``on_epoch(run, epoch)``, ``on_run(run)`` as soon as a run is in the store, also one that another process
    trained, and ``on_failure(run, reason)`` when a run fails that will be tried again. Closes ``executor``.
    """
    with store.beside(alone=False) as beside:

        def keep(run: str, written: Path) -> None:
            if missing := [name for name in FILES if not (written / name).is_file()]:
                raise FileNotFoundError(f"training wrote no {', '.join(missing)}")
            if not beside.nobody:
                _deny_alone(written)
            store.commit(run, written)

        return _Driver(store, executor, (on_epoch, on_run, on_failure), store.has, keep).drive(jobs)


def time_all(
    jobs: Sequence[Job],
    store: RunStore,
    executor: Executor,
    on_epoch: OnEpoch,
    on_run: OnRun,
    on_failure: OnFailure = in_silence,
) -> list[Failure]:
    """Times ``jobs``, whose runs are in ``store``, while no process trains on it; only the times are kept.

    ``executor`` has one slot; it is closed. The failures of runs that could not be timed.
    """

    def keep(run: str, written: Path) -> None:
        store.amend_record(run, json.loads((written / TIMES).read_text(encoding="utf-8")))

    with store.beside(alone=True):
        there = partial(store.timed_alone, machine=machine())
        return _Driver(store, executor, (on_epoch, on_run, on_failure), there, keep).drive(jobs)


class RunsFailed(CxrbenchError):
    """Runs that failed twice; its message says which and why. ``titles``: every run that was asked for, in words."""

    def __init__(self, failures: Sequence[Failure], titles: Mapping[str, str], store: RunStore) -> None:
        self.runs = {failure.run for failure in failures}
        told = [
            f"  {titles[one.run]}: {one.reason}\n    tried {one.times} times, last at {one.when}; its traceback:"
            f" {store.failure_file(one.run)}"
            for one in failures
        ]
        super().__init__(
            f"{len(told)} of {len(titles)} runs failed; the other {len(titles) - len(told)} are in the store, and the"
            " same command tries the failed ones again\n" + "\n".join(told)
        )


@dataclasses.dataclass
class _Try:
    """A run that is claimed here, and how its present try goes."""

    job: Job
    claim: Claim
    written: Path
    tries: int = 1
    epoch: int = 0  # the last one that was finished in this try


class _Driver:
    """``there(run)``: nothing is to do any more; ``keep(run, written)`` takes over what an executor made."""

    def __init__(
        self,
        store: RunStore,
        executor: Executor,
        tell: tuple[OnEpoch, OnRun, OnFailure],
        there: Callable[[str], bool],
        keep: Callable[[str, Path], None],
    ) -> None:
        self._store, self._executor = store, executor
        self._on_epoch, self._on_run, self._on_failure = tell
        self._there, self._keep = there, keep
        self._waiting: list[Job] = []
        self._elsewhere: list[Job] = []  # another process holds them
        self._running: dict[str, _Try] = {}
        self._again: list[_Try] = []  # failed once; their claims are kept
        self._failures: list[Failure] = []
        self._graph: tuple[object, ...] = ()  # of the run that ended last: its worker is free
        self._costs: dict[str, float] = {}
        self._looked = 0.0  # at the runs of other processes
        self._began = datetime.datetime.now().astimezone()

    def drive(self, jobs: Sequence[Job]) -> list[Failure]:
        self._waiting = list(jobs)
        self._costs = {job.run: _cost(job) for job in jobs}
        try:
            while self._waiting or self._running or self._again or self._elsewhere:
                self._fill_slots()
                if self._running:
                    for event in self._executor.events(PATIENCE_SECONDS):
                        self._take(event)
                elif not self._waiting and not self._again:
                    time.sleep(PATIENCE_SECONDS)
                self._look_elsewhere()
        finally:
            self._executor.close()
            for one in (*self._running.values(), *self._again):
                shutil.rmtree(one.written, ignore_errors=True)
                one.claim.release()
        return self._failures

    def _fill_slots(self) -> None:
        if any(one.tries > 1 for one in self._running.values()):
            return  # which is to be alone
        while self._waiting and len(self._running) < self._executor.slots:
            job = self._next()
            self._waiting.remove(job)
            claim = self._store.claim(job.run)
            if claim is None:
                self._elsewhere.append(job)
            elif self._there(job.run):
                self._arrived(job.run, claim)
            else:
                self._begin(_Try(job, claim, self._store.begin(job.run)))
        if self._again and not self._waiting and not self._running:
            failed = self._again.pop(0)
            self._begin(_Try(failed.job, failed.claim, self._store.begin(failed.job.run), failed.tries + 1))

    def _begin(self, one: _Try) -> None:
        self._running[one.job.run] = one
        self._executor.submit(one.job, one.written, self._store.checkpoint(one.job.run))

    def _next(self) -> Job:
        """A job of the graph that a free worker has compiled; else of the one with most work that nobody has begun.

        The longest of a graph comes first, so that no long run begins when all others are done.
        """
        work: dict[tuple[object, ...], float] = {}
        for job in self._waiting:
            work[graph_of(job)] = work.get(graph_of(job), 0.0) + self._costs[job.run]
        begun = {graph_of(one.job) for one in self._running.values()}
        graph = self._graph if self._graph in work else max(work, key=lambda graph: (graph not in begun, work[graph]))
        self._graph = ()
        return max((job for job in self._waiting if graph_of(job) == graph), key=lambda job: self._costs[job.run])

    def _take(self, event: Event) -> None:
        one = self._running.get(event.run)
        if one is None:
            return
        if event.kind == "epoch":
            one.epoch = event.epoch
            self._on_epoch(event.run, event.epoch)
            return
        del self._running[event.run]
        self._graph = graph_of(one.job)
        if event.kind == "done":
            try:
                self._keep(event.run, one.written)
            except (FileNotFoundError, ValueError) as error:
                event = Event(event.run, "failed", reason=f"{type(error).__name__}: {error}")
            else:
                self._arrived(event.run, one.claim)
                return
        self._failed(one, event)

    def _failed(self, one: _Try, event: Event) -> None:
        shutil.rmtree(one.written, ignore_errors=True)
        failure = self._store.record_failure(event.run, event.reason, event.traceback)
        if not event.lost and one.epoch == 0:
            # Where nothing could be trained, the checkpoint itself may be what fails.
            self._store.checkpoint(event.run).unlink(missing_ok=True)
        if one.tries == 1:
            self._again.append(one)
            self._on_failure(event.run, event.reason)
        else:
            self._failures.append(failure)
            one.claim.release()

    def _arrived(self, run: str, claim: Claim) -> None:
        claim.release()
        self._on_run(run)

    def _look_elsewhere(self) -> None:
        """Takes up what other processes no longer hold: trained, failed there just now, or left by a dead process."""
        if time.monotonic() < self._looked + PATIENCE_SECONDS:
            return
        self._looked = time.monotonic()
        for job in self._elsewhere[:]:
            claim = self._store.claim(job.run)
            if claim is None:
                continue
            self._elsewhere.remove(job)
            failure = self._store.failure(job.run)
            if self._there(job.run):
                self._arrived(job.run, claim)
                continue
            claim.release()
            if failure and failure.times > 1 and datetime.datetime.fromisoformat(failure.when) > self._began:
                self._failures.append(failure)
            else:
                self._waiting.append(job)


def _cost(job: Job) -> float:
    """How long a run takes, roughly and beside others of its graph; small batches take longer."""
    images = int((job.rows["part"] == "train").sum())
    return job.setting["epochs"] * images * (1 + 2 / job.setting["batch_size"])


def _deny_alone(written: Path) -> None:
    """Another process trained beside this one: the times of the run were not taken alone."""
    record = read_record(written)
    if record.get("timing", {}).get("alone"):
        record["timing"]["alone"] = False
        write_text(written / RECORD, json.dumps(record, indent=1))
