"""What happens around each epoch of training."""

import math
import time
from collections.abc import Callable

import keras
import numpy as np


class EpochLog(keras.callbacks.Callback):
    """Times each epoch, keeps the history, ends a run that diverges, and remembers the best weights of ``network``.

    With ``checkpoint`` 'best' those are the weights after the epoch of the lowest validation loss.
    """

    def __init__(self, network: keras.Model, checkpoint: str, on_epoch: Callable[[int], None]) -> None:
        super().__init__()
        self.network, self.checkpoint, self.on_epoch = network, checkpoint, on_epoch
        self.epochs: list[dict[str, float]] = []  # rows of the table 'history'
        self.best_loss = math.inf
        self.best_epoch = 0
        self.best_weights: list[np.ndarray] | None = None

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.started = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        names = ("loss", "accuracy", "val_loss", "val_accuracy")
        values = {name: float((logs or {}).get(name, math.nan)) for name in names}
        self.epochs.append({"epoch": epoch + 1, **values, "seconds": time.monotonic() - self.started})
        if self.checkpoint == "best" and values["val_loss"] < self.best_loss:
            self.best_loss, self.best_epoch = values["val_loss"], epoch + 1
            self.best_weights = self.network.get_weights()
        if not math.isfinite(values["loss"]):
            self.model.stop_training = True
        self.on_epoch(epoch + 1)
