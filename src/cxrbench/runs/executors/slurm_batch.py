"""A job on a Slurm cluster: it trains several runs one after the other, and tells how each goes in a file.

Started again by Slurm, it leaves out the runs that ended; the one in the making goes on from its checkpoint.
"""

import dataclasses
import json
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from submitit.helpers import Checkpointable

from cxrbench.runs.executors import Event
from cxrbench.runs.executors.worker import Run, Work, why
from cxrbench.runs.job import Job


@dataclasses.dataclass(frozen=True, eq=False)
class Task:
    """A submitted run; ``told`` is the file that its worker tells events in, a line each."""

    job: Job
    written: Path
    checkpoint: Path
    told: Path

    @property
    def threads(self) -> int:
        return int(self.job.setting["threads"])

    def tell(self, kind: str, **more: Any) -> None:
        with open(self.told, "a", encoding="utf-8") as file:
            file.write(json.dumps({"run": self.job.run, "kind": kind, **more}) + "\n")

    def events(self) -> list[Event]:
        """All that was told so far; a line in the making is left out."""
        lines = self.told.read_text(encoding="utf-8").splitlines(keepends=True)
        return [Event(**json.loads(line)) for line in lines if line.endswith("\n")]


def ended(events: Iterable[Event]) -> bool:
    """Whether a run of these events is done or failed."""
    return any(event.kind != "epoch" for event in events)


class Batch(Checkpointable):
    """What a job does: one run after the other."""

    def __init__(self, tasks: list[Task], work: Work, workers: int, threads: int) -> None:
        self.tasks, self.work, self.workers, self.threads = tasks, work, workers, threads

    def __call__(self) -> None:
        run = self.work(self.workers, self.threads)
        for task in self.tasks:
            if not ended(task.events()):
                _train(run, task)


def _train(run: Run, task: Task) -> None:
    with tempfile.TemporaryDirectory(dir=task.told.parent) as folder:
        try:
            run(task.job, Path(folder), task.checkpoint, lambda epoch: task.tell("epoch", epoch=epoch))
            for path in Path(folder).iterdir():
                os.replace(path, task.written / path.name)
        except Exception as error:
            reason, traceback = why(error)
            task.tell("failed", reason=reason, traceback=traceback)
        else:
            task.tell("done")
