"""Tracks a grid while it is trained: a setting is logged as soon as its seeds are there, the best models at the end.

Tracking never decides about training, and training never waits for it: MLflow is called in a thread of its own. Where
it fails a sentence says so, what was not logged is tried again with each finished run, and what is missing at the end
is named: ``cxrbench track`` logs it later.
"""

import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from queue import Queue
from threading import Event, Thread

import pandas as pd

from cxrbench.runs.store import RunStore
from cxrbench.tracking.failure import reason
from cxrbench.tracking.grid_log import GridLog
from cxrbench.tracking.provenance import provenance_tags

PATIENCE_S = 60  # seconds without any progress after which the end of the stage waits no longer for MLflow


class GridTracker:
    """Tracks the runs of ``grid`` (table 'grid') as ``store`` gets them; the arguments are those of ``GridLog``.

    No call raises a failure of MLflow, and none but ``finish`` waits.
    """

    def __init__(
        self,
        grid: pd.DataFrame,
        store: RunStore,
        assignment: pd.DataFrame,
        restricted: Collection[str],
        view: Path | None = None,
    ) -> None:
        self._log = GridLog(grid, store, assignment, restricted, view=view)
        self._folder = Path.cwd()
        self._trained: list[str] = []
        self._said = ""
        self._queue: Queue[str | Sequence[int]] = Queue()  # fingerprints of finished runs, at the end the seeds
        self._done = Event()
        Thread(target=self._work, name="MLflow", daemon=True).start()

    def on_run(self, name: str) -> None:
        """Takes note that the run of this fingerprint is in the store; its setting is logged once it is complete."""
        self._trained.append(name)
        self._queue.put(name)

    def finish(self, seeds: Sequence[int]) -> None:
        """Logs what is left, also settings of which a run failed, and registers the best models of each study.

        Prints what was not logged, and why. Waits at most PATIENCE_S seconds for each next step of MLflow.
        """
        self._queue.put(list(seeds))
        steps = self._log.steps
        while not self._done.wait(PATIENCE_S) and steps != self._log.steps:
            steps = self._log.steps
        if missing := self._log.missing(self._trained):
            why = self._log.failure or f"MLflow did nothing for {PATIENCE_S} s"
            how = "'cxrbench track' logs it from the run store, without training"
            print(f"{why}; {missing}. {how}", file=sys.stderr, flush=True)

    def _work(self) -> None:
        try:
            tags, trained, seeds = provenance_tags(self._folder), set[str](), None
            while seeds is None:
                told = [self._queue.get()]
                while not self._queue.empty():
                    told.append(self._queue.get())
                for one in told:
                    if isinstance(one, str):
                        self._log.keep_provenance(one, tags)
                        trained.add(one)
                    else:
                        seeds = one
                self._log.log(trained, partly=seeds is not None)
                self._say_failure()
            self._log.register(seeds)
        except Exception as error:  # a fault of our own must not leave the end waiting
            self._log.failure = f"tracking failed: {reason(error)}"
        finally:
            self._done.set()

    def _say_failure(self) -> None:
        if self._log.failure and not self._said:
            self._said = f"{self._log.failure}; training goes on, and logging is tried again with the next run"
            print(self._said, file=sys.stderr, flush=True)
