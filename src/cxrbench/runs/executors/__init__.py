"""Where runs are trained: an executor takes runs and tells how each goes; the driver alone touches the store."""

import dataclasses
from pathlib import Path
from typing import Protocol

from cxrbench.runs.job import Job


@dataclasses.dataclass(frozen=True)
class Event:
    """What an executor tells of a submitted run."""

    run: str
    kind: str  # "epoch", "done" or "failed"
    epoch: int = 0  # of "epoch": the finished one
    reason: str = ""  # of "failed": one line, why
    lost: bool = False  # of "failed": the worker or node vanished; the run itself may be sound
    traceback: str = ""  # of "failed", where the run raised


class Executor(Protocol):
    """Trains submitted runs somewhere."""

    slots: int  # runs at the same time

    def submit(self, job: Job, written: Path, checkpoint: Path) -> None:
        """Begins ``job``; when "done" is told, the empty folder ``written`` holds its files.

        Training writes ``checkpoint`` after epochs, and goes on from it where it is there. Called while fewer than
        ``slots`` runs are under way.
        """

    def events(self, timeout_s: float) -> list[Event]:
        """What happened since the last call; waits for something at most so long."""

    def close(self) -> None:
        """Cancels what is still under way; when it returns, nothing writes any more. Twice does no harm."""
