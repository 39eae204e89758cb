"""One function over many items, in processes of their own: a decoder that crashes or hangs costs one file, no more.

Each process has its own pipe, so one that is killed in the middle of an answer spoils no other's (a pool with a
shared queue, such as pebble's, is lost with it). Items go out in batches, because a small image takes a tenth of a
millisecond; where a process dies or hangs, what it still owed is tried again one at a time, so that only the guilty
item is lost. What is in flight is bounded, whatever the number of items.
"""

import dataclasses
import signal
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from multiprocessing import connection, get_context
from time import monotonic
from typing import Any, Generic, TypeVar

from cxrbench.base.errors import CxrbenchError
from cxrbench.images.limits import Undecodable

Item = TypeVar("Item")
Result = TypeVar("Result")
BATCH = 64  # items handed to a process at once, at most; fewer towards the end
AHEAD = 4 * BATCH  # items a process, begun but not yet yielded, at most
BURST_SECONDS = 0.02  # a process keeps its answers no longer than this
LIMIT_SECONDS = 120.0  # for one item


@dataclasses.dataclass(frozen=True, slots=True)
class Lost:
    """Stands where the result of an item would, because the process that worked on it died or had to be ended."""

    reason: str  # decoder crashed | takes too long
    detail: str

    def refusal(self, path: str) -> Undecodable:
        """The same as what is said of a file that cannot be used."""
        return Undecodable(path, self.reason, self.detail)


def map_files(function: Callable[[str], Result], paths: Sequence[str], workers: int) -> Iterator[Result | Undecodable]:
    """``map_each`` over files: a lost file comes as an ``Undecodable``, yielded and not raised."""
    for path, result in zip(paths, map_each(function, paths, workers)):
        yield result.refusal(path) if isinstance(result, Lost) else result


def map_each(
    function: Callable[[Item], Result], items: Sequence[Item], workers: int, limit_seconds: float = LIMIT_SECONDS
) -> Iterator[Result | Lost]:
    """``function`` of each item, in their order, by ``workers`` processes; 0: in this process, without protection.

    What ``function`` raises is raised here. ``function``, items and results must pickle. CxrbenchError where a
    process ends before it has begun.
    """
    if workers < 1:
        yield from map(function, items)
        return
    todo = _Todo(items, workers)
    answers: dict[int, Any] = {}
    idle: list[_Worker[Item, Result]] = []
    busy: list[_Worker[Item, Result]] = []
    try:
        while True:
            while len(busy) < workers and (batch := todo.next_batch()):
                busy.append(idle.pop() if idle else _Worker(function))
                busy[-1].hand(batch)
            if not busy:
                return
            _collect(busy, idle, todo, answers, limit_seconds)
            while todo.yielded in answers:
                failed, result = answers.pop(todo.yielded)
                todo.yielded += 1
                if failed:
                    raise result
                yield result
    finally:
        for worker in (*busy, *idle):
            worker.stop()


class _Todo(Generic[Item]):
    """What is still to be handed out: items to be tried again, alone, come first."""

    def __init__(self, items: Sequence[Item], workers: int) -> None:
        self.numbered, self.total, self.workers = enumerate(items), len(items), workers
        self.again: deque[tuple[int, Item]] = deque()
        self.begun = self.yielded = 0

    def next_batch(self) -> list[tuple[int, Item]]:
        """Items with their numbers; empty where none are left or too many wait for a slow one before them."""
        if self.again:
            return [self.again.popleft()]
        if self.begun - self.yielded >= AHEAD * self.workers:
            return []
        share = (self.total - self.begun) // (4 * self.workers)  # small at the end, so that all end together
        batch = list(islice(self.numbered, min(BATCH, max(1, share))))
        self.begun += len(batch)
        return batch


class _Worker(Generic[Item, Result]):
    """A process, the pipe to it and what it owes."""

    def __init__(self, function: Callable[[Item], Result]) -> None:
        context = get_context("spawn")  # a forked copy of a process that has threads may hang
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, function), daemon=True)
        self.process.start()
        theirs.close()  # so that its death is the pipe's end
        self.owed: deque[tuple[int, Item]] = deque()
        self.started = self.alone = False
        self.since = monotonic()

    def hand(self, batch: list[tuple[int, Item]]) -> None:
        self.owed.extend(batch)
        self.alone, self.since = len(batch) == 1, monotonic()
        with suppress(OSError):  # it has died: its pipe will say so
            self.pipe.send([item for _, item in batch])

    def deadline(self, limit_seconds: float) -> float:
        return self.since + (limit_seconds if self.started else LIMIT_SECONDS)

    def ending(self) -> str:
        """How a process whose pipe has ended came to die, and what to do."""
        self.process.join()
        code = self.process.exitcode or 0
        if code == -signal.SIGKILL:
            return "killed, as where memory runs out; lower workers, or save the image smaller"
        told = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        return f"{told}; save the image anew or remove it"

    def stop(self) -> None:
        self.process.kill()
        self.process.join()
        self.pipe.close()


def _collect(busy: list, idle: list, todo: _Todo, answers: dict[int, Any], limit_seconds: float) -> None:
    """Waits for the next answers, deaths or expired limits and files them."""
    patience = min(worker.deadline(limit_seconds) for worker in busy) - monotonic()
    ready = connection.wait([worker.pipe for worker in busy], max(0.0, patience))
    for worker in busy[:]:
        lost = None
        if worker.pipe in ready:
            try:
                burst = worker.pipe.recv()
            except (EOFError, OSError):
                lost = Lost("decoder crashed", worker.ending())
            else:
                worker.started, worker.since = True, monotonic()
                for answer in burst:
                    answers[worker.owed.popleft()[0]] = answer
        elif monotonic() > worker.deadline(limit_seconds):
            lost = Lost("takes too long", f"over {limit_seconds:g} s; save the image anew or remove it")
        if lost:
            _give_up(worker, todo, answers, lost)
        if lost or not worker.owed:
            busy.remove(worker)
        if not lost and not worker.owed:
            idle.append(worker)


def _give_up(worker: _Worker, todo: _Todo, answers: dict[int, Any], lost: Lost) -> None:
    """Ends a process; what it owed is tried again, but for an item that was alone with it."""
    worker.stop()
    if not worker.started:
        raise CxrbenchError(
            f"a process for work on images did not start ({lost.detail.split(';')[0]}); see the lines above, free"
            " memory or lower workers, and run again"
        )
    if worker.alone:
        answers[worker.owed.popleft()[0]] = (False, lost)
    todo.again.extend(worker.owed)


def _serve(pipe: connection.Connection, function: Callable[[Any], Any]) -> None:
    """The process: answers batch after batch until the pipe ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    with suppress(EOFError, OSError):  # the parent has gone
        pipe.send([])  # started
        while True:
            burst: list[tuple[bool, Any]] = []
            sent = monotonic()
            for item in pipe.recv():
                burst.append(_answer(function, item))
                if monotonic() - sent > BURST_SECONDS:
                    pipe.send(burst)
                    burst, sent = [], monotonic()
            pipe.send(burst)


def _answer(function: Callable[[Any], Any], item: Any) -> tuple[bool, Any]:
    try:
        return False, function(item)
    except Exception as error:
        error.add_note(traceback.format_exc())  # where it happened does not pass between processes
        return True, error
