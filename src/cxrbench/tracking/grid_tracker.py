"""A grid of runs in MLflow: each setting as soon as all its seeds are trained, each study's best model at the end.

Tracking never decides about training. Where MLflow fails, a sentence says so at once, training goes on without it, and
the end of the stage names what was not logged.
"""

import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pandas as pd

from cxrbench.base.tables import read_table
from cxrbench.evaluation import summaries
from cxrbench.evaluation.runs import metric_table, read_run
from cxrbench.runs.store import RunStore
from cxrbench.tracking import mistakes, tracker
from cxrbench.tracking.failure import reason
from cxrbench.tracking.logged import STATUSES, Picture, SeedRun
from cxrbench.tracking.run_figure import draw_run

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class GridTracker:
    """Tracks the runs of ``grid`` (table 'grid') as ``store`` gets them.

    ``assignment`` is the table of all images; no pixel of those whose source is in ``restricted`` leaves this machine.
    A failure of MLflow raises nothing: see ``finish``.
    """

    def __init__(
        self, grid: pd.DataFrame, store: RunStore, assignment: pd.DataFrame, restricted: Collection[str]
    ) -> None:
        self._grid, self._store = grid, store
        self._assignment, self._restricted = assignment, restricted
        self._trained: set[str] = set()
        self._seed_runs: dict[tuple[str, str], dict[str, SeedRun]] = {}  # of what is logged: (study, setting) -> run
        self._metrics: list[pd.DataFrame] = []
        self._tracker: tracker.Tracker | None = None
        self._failure = ""
        with self._surviving():
            self._tracker = tracker.open_tracker()
            for study, rows in grid.groupby("study", sort=False):
                self._tracker.describe(str(study), list(rows["setting"].unique()))

    def on_run(self, name: str) -> None:
        """Logs the settings that are complete now that the run of this fingerprint is in the store."""
        self._trained.add(name)
        for (study, setting), rows in self._grid.groupby(["study", "setting"], sort=False):
            if name in set(rows["run"]) <= self._trained:
                self._log_setting(str(study), str(setting), rows)

    def finish(self, seeds: Sequence[int]) -> None:
        """Registers each study's best run: of the setting that wins on validation, the seed that did best there.

        Prints what was not logged, and why, where MLflow failed.
        """
        with self._surviving():
            for study, rows in self._grid.groupby("study", sort=False):
                self._register_best(str(study), list(rows["setting"].unique()), seeds)
        if self._failure:
            print(f"{self._failure}. {self._missing()}", file=sys.stderr, flush=True)

    def _log_setting(self, study: str, setting: str, rows: pd.DataFrame) -> None:
        if self._tracker is None:
            return
        metrics = metric_table(rows, {name: read_run(self._store.path(name)) for name in rows["run"]})
        seed_runs = {name: self._seed_run(name, metrics[metrics["run"] == name]) for name in rows["run"]}
        with self._surviving():
            picture = self._picture(study, setting, list(seed_runs.values()))
            self._tracker.log_setting(study, setting, list(seed_runs.values()), _draw, picture)
            self._seed_runs[study, setting] = seed_runs
            self._metrics.append(metrics)

    def _seed_run(self, name: str, metrics: pd.DataFrame) -> SeedRun:
        values = {f"{row.part}_{m}": getattr(row, m) for row in metrics.itertuples() for m in summaries.METRICS}
        return SeedRun(self._store.path(name), values, max(metrics["status"], key=STATUSES.index))

    def _picture(self, study: str, setting: str, seed_runs: Sequence[SeedRun]) -> Picture:
        """The worst mistakes of a setting; drawn only if the tracker asks for it."""
        cohort = seed_runs[0].record["setting"]["cohort"]
        images = self._assignment[self._assignment["cohort"] == cohort]
        seeds = ", ".join(str(one.record["seed"]) for one in seed_runs)

        def draw() -> "Figure | None":
            scores = [read_table(one.folder / "scores.csv", "scores") for one in seed_runs]
            title = f"{study}, {setting}: the surest mistakes of the mean over seeds {seeds}"
            return mistakes.draw(title, scores, images)

        return Picture(draw, restricted=bool(set(images["source"]) & set(self._restricted)))

    def _register_best(self, study: str, settings: Sequence[str], seeds: Sequence[int]) -> None:
        if self._tracker is None:
            return
        metrics = pd.concat(self._metrics)
        best = summaries.winner(summaries.summarise(metrics, study, settings, seeds))
        if best is None:
            return  # every run diverged
        rows = metrics[(metrics["study"] == study) & (metrics["setting"] == best) & (metrics["part"] == "validation")]
        first = rows.sort_values(["accuracy", "loss"], ascending=[False, True]).iloc[0]
        self._tracker.register_best(study, best, self._seed_runs[study, best][first["run"]])

    @contextmanager
    def _surviving(self) -> Iterator[None]:
        """Whatever MLflow, its store or a place of artifacts raises ends tracking and nothing else."""
        try:
            yield
        except Exception as error:
            self._tracker, self._failure = None, f"MLflow failed: {reason(error)}"
            print(f"{self._failure}; training goes on without tracking", file=sys.stderr, flush=True)

    def _missing(self) -> str:
        settings = self._grid[["study", "setting"]].drop_duplicates().itertuples(index=False, name=None)
        missing = [f"{study}, {setting}" for study, setting in settings if (study, setting) not in self._seed_runs]
        what = f"not logged: {'; '.join(missing)}" if missing else "the best model of each study is not registered"
        return f"Training is complete; {what}. 'dvc repro -f train-grid' logs the rest without training again"


def _draw(seed_run: SeedRun) -> "dict[str, Figure]":
    history = read_table(seed_run.folder / "history.csv", "history")
    scores = read_table(seed_run.folder / "scores.csv", "scores")
    return {"curves": draw_run(history, scores)}
