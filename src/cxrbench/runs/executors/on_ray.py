"""Runs on a Ray cluster: each slot is a process on one of its nodes that stays warm from run to run.

The nodes share no folder with this machine: images, weights and checkpoints travel through Ray's object store, and a
run's files come back whole. cxrbench's own code travels too; the libraries that compute must be installed there in
this machine's versions. Ray starts a lost process again where there is room, and its run goes on from the last
checkpoint that came back.
"""

import os
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import ray
from ray.exceptions import RayActorError, RayError, RayTaskError

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.files import replaced_when_whole
from cxrbench.runs.executors import Event
from cxrbench.runs.executors.ray_cluster import Slot, connect, shares
from cxrbench.runs.executors.worker import Work, training
from cxrbench.runs.job import Job, graph_of

LOSSES = 3  # of a run with its process or node, before the driver is told


class RayExecutor:
    """Trains on the cluster at ``address``, shared out to ``workers``; see ``ray_cluster`` for both.

    A changed checkpoint comes back after an epoch, at most every ``checkpoint_s`` seconds.
    """

    def __init__(
        self, workers: int | None, address: str | None = None, work: Work = training, checkpoint_s: float = 30.0
    ) -> None:
        connect(address)
        self.slots, gpu, self._cores = shares(workers)
        self._slots = [Slot(work, self.slots, gpu) for _ in range(self.slots)]
        self._checkpoint_s = checkpoint_s
        self._tasks: dict[str, tuple[Job, Path, Path]] = {}  # run -> what was submitted
        self._waiting: list[str] = []
        self._losses: Counter[str] = Counter()
        self._stored: dict[str, Any] = {}  # path of a file -> its bytes in the object store

    def submit(self, job: Job, written: Path, checkpoint: Path) -> None:
        if job.setting["threads"] > self._cores:
            raise CxrbenchError(
                f"threads is {job.setting['threads']}, and the largest node of the Ray cluster has {self._cores} cores;"
                " lower threads"
            )
        self._tasks[job.run] = (job, written, checkpoint)
        self._losses[job.run] = 0
        self._waiting.append(job.run)
        self._hand_out()

    def events(self, timeout_s: float) -> list[Event]:
        """Raises CxrbenchError where no node can train."""
        self._hand_out()
        asked = {slot.answer: slot for slot in self._slots if slot.answer is not None}
        if not asked:
            time.sleep(timeout_s)
            return []
        heard, _ = ray.wait(list(asked), timeout=timeout_s)
        if heard:
            heard, _ = ray.wait(list(asked), num_returns=len(asked), timeout=0)
        return [event for answer in heard for event in self._hear(asked[answer])]

    def close(self) -> None:
        for slot in self._slots:
            slot.end()
        self._slots.clear()
        ray.shutdown()

    def _hand_out(self) -> None:
        """Each free slot gets a waiting run, rather one of the graph that it has compiled."""
        for slot in self._slots:
            if slot.answer is None and self._waiting:
                jobs = [self._tasks[run][0] for run in self._waiting]
                job = min(jobs, key=lambda job: (job.setting["threads"] != slot.threads, graph_of(job) != slot.graph))
                if job.setting["threads"] == slot.threads:
                    self._waiting.remove(job.run)
                    self._train(slot, job)
                else:
                    slot.become(job.setting["threads"])

    def _train(self, slot: Slot, job: Job) -> None:
        checkpoint = self._tasks[job.run][2]
        kept = checkpoint.read_bytes() if checkpoint.is_file() else None
        slot.run, slot.graph = job.run, graph_of(job)
        slot.answer = slot.process.train.remote(job, self._files_of(job), checkpoint.name, kept, self._checkpoint_s)

    def _files_of(self, job: Job) -> dict[str, Any]:
        paths = [path for path in (str(job.array), job.weights) if path and os.path.isabs(path)]
        for path in paths:
            if path not in self._stored:
                self._stored[path] = ray.put(np.asarray(np.memmap(path, "uint8", "r")))
        return {path: self._stored[path] for path in paths}

    def _hear(self, slot: Slot) -> list[Event]:
        try:
            if not slot.run:
                ray.get(slot.answer)
                slot.answer = None
                return []
            event, files = ray.get(next(slot.answer))
        except RayTaskError as error:
            raise CxrbenchError(f"a node of the Ray cluster can't train: {error.cause}") from None
        except RayError as error:
            if not isinstance(error, RayActorError):  # what the process sent is lost, and it may still be at work
                ray.kill(slot.process, no_restart=False)
            return self._lost(slot, " ".join(str(error).split()))
        _, written, checkpoint = self._tasks[slot.run]
        for name, content in files.items():
            with replaced_when_whole(checkpoint if event.kind == "epoch" else written / name) as path:
                path.write_bytes(content)
        if event.kind != "epoch":
            slot.run, slot.answer = "", None
        return [event]

    def _lost(self, slot: Slot, reason: str) -> list[Event]:
        """The run of a lost slot waits for another one; the slot is started again, unless it never started."""
        run, slot.run = slot.run, ""
        if not run:
            self._slots.remove(slot)
            if not self._slots:
                raise CxrbenchError(f"no process of the Ray cluster can train: {reason}")
            return []
        slot.start()
        self._losses[run] += 1
        if self._losses[run] == LOSSES:
            return [Event(run, "failed", reason=f"lost {LOSSES} times, at last: {reason}", lost=True)]
        print(f"run {run} goes on elsewhere from its last checkpoint: {reason}", file=sys.stderr)
        self._waiting.insert(0, run)
        return []
