"""The state of a run between two epochs, in one file from which training goes on.

Weights, the optimizer's variables, the history and the best weights. The order of images and every random generator
follow from the run's seed and the epoch's number (``Trainer.epoch``), so a run that goes on gives the same bits as one
that was never interrupted. The file is a NumPy archive without pickles, whose parts carry check sums of their own.
"""

import dataclasses
import json
import sys
import time
from pathlib import Path

import numpy as np

from cxrbench.base.files import replaced_when_whole
from cxrbench.training.epoch_log import EpochLog
from cxrbench.training.heads import HeadFirst
from cxrbench.training.trainer import Trainer

AT_LEAST_S = 5.0  # between two files: a killed run loses a few seconds
SHARE = 0.01  # of the time of training that files may take


class Checkpoint:
    """The file ``path`` of the run named ``run``; with no path nothing is kept."""

    def __init__(self, path: Path | None, run: str) -> None:
        self.path, self.run = path, run
        self._saved, self._cost_s = time.monotonic(), 0.0

    def restore(self, trainer: Trainer | HeadFirst, log: EpochLog) -> EpochLog:
        """Sets ``trainer`` as it was after the last saved epoch and gives the log up to it; else ``log``."""
        if self.path is None or not self.path.exists():
            return log
        try:
            with np.load(self.path, allow_pickle=False) as parts:
                told = json.loads(str(parts["log"]))
                weights, optimizer, best = (_listed(parts, name) for name in ("weights", "optimizer", "best"))
            if told.pop("run") != self.run:
                raise ValueError("it is of another run")
            restored = EpochLog(**{**told, "best_weights": best or None, "restored": len(told["epochs"])})
            trainer.go_on(weights, optimizer)
        except Exception as error:  # a damaged archive raises errors of a dozen kinds
            print(f"checkpoint {self.path} can't be used ({error}); the run starts anew", file=sys.stderr)
            return log
        return restored

    def save(self, trainer: Trainer | HeadFirst, log: EpochLog) -> None:
        """Writes the file, unless the last one is so young that files would take more than ``SHARE`` of the time."""
        started = time.monotonic()
        if self.path is None or started - self._saved < max(AT_LEAST_S, self._cost_s / SHARE):
            return
        try:
            with replaced_when_whole(self.path) as temporary, temporary.open("wb") as file:
                np.savez(file, allow_pickle=False, **self._parts(trainer, log))
        except OSError as error:
            print(f"checkpoint {self.path} could not be written ({error.strerror}); training goes on", file=sys.stderr)
        self._saved = time.monotonic()
        self._cost_s = self._saved - started

    def _parts(self, trainer: Trainer | HeadFirst, log: EpochLog) -> dict[str, np.ndarray]:
        weights, optimizer = trainer.state()
        lists = {"weights": weights, "optimizer": optimizer, "best": log.best_weights or []}
        told = {field.name: getattr(log, field.name) for field in dataclasses.fields(log)} | {"run": self.run}
        told.pop("best_weights")
        named = {f"{name}_{place:04}": value for name, values in lists.items() for place, value in enumerate(values)}
        return {"log": np.array(json.dumps(told)), **named}


def _listed(parts: "np.lib.npyio.NpzFile", name: str) -> list[np.ndarray]:
    return [parts[key] for key in sorted(parts.files) if key.startswith(f"{name}_")]
