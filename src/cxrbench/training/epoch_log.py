"""What a run remembers of its epochs."""

import dataclasses
import math
from collections.abc import Callable

import numpy as np


@dataclasses.dataclass
class EpochLog:
    """The history; with ``checkpoint`` 'best' also the weights after the epoch of the lowest validation loss."""

    checkpoint: str
    epochs: list[dict[str, float]] = dataclasses.field(default_factory=list)  # rows of the table 'history'
    best_loss: float = math.inf
    best_epoch: int = 0
    best_weights: list[np.ndarray] | None = None
    restored: int = 0  # epochs that an earlier process trained

    @property
    def diverged(self) -> bool:
        """Whether the last epoch's loss left the finite numbers."""
        return bool(self.epochs) and not math.isfinite(self.epochs[-1]["loss"])

    @property
    def seconds_before(self) -> float:
        """Seconds of the epochs that an earlier process trained."""
        return sum(epoch["seconds"] for epoch in self.epochs[: self.restored])

    def add(self, epoch: dict[str, float], weights: Callable[[], list[np.ndarray]]) -> None:
        """Adds an epoch, a row of the table 'history'; ``weights()`` are those after it."""
        self.epochs.append(epoch)
        if self.checkpoint == "best" and epoch["val_loss"] < self.best_loss:
            self.best_loss, self.best_epoch = epoch["val_loss"], int(epoch["epoch"])
            self.best_weights = weights()
