"""A grid of runs as what MLflow gets of it: each setting with all its seeds, each study's best models.

A failure of MLflow is kept here and never raised: what was not logged is tried again at the next call.
"""

import dataclasses
import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from cxrbench.base.assignment import column_of
from cxrbench.base.tables import read_table
from cxrbench.evaluation import summaries
from cxrbench.evaluation.chosen import metrics_of_mean
from cxrbench.evaluation.runs import metric_table, read_run
from cxrbench.evaluation.study_settings import splits_of
from cxrbench.evaluation.usage import labels_of
from cxrbench.runs import average
from cxrbench.runs.fingerprint import data_sha256
from cxrbench.runs.plan import select
from cxrbench.runs.store import RunStore, read_record
from cxrbench.tracking import logged, mistakes, provenance, tracker
from cxrbench.tracking.data_set import DataSet, data_sets, digest_of_validation
from cxrbench.tracking.failure import reason
from cxrbench.tracking.logged import STATUSES, Choice, MeanRun, Picture, SeedRun
from cxrbench.tracking.provenance import Provenance
from cxrbench.tracking.run_figure import draw_run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FAILURES = 2  # in a row: so many settings that can't be logged say that the store is at fault, not a setting
Setting = tuple[str, str]  # study and setting


class GridLog:
    """Logs the runs of ``grid`` (table 'grid') that are in ``store``.

    ``assignment`` is the table of all images; no pixel of those whose source is in ``restricted`` leaves this machine.
    ``uri`` is the store to log to (default: the workspace's). ``view`` is the view network's file, which goes with each
    model if it is there. Not to be used by two threads at once.
    """

    def __init__(
        self,
        grid: pd.DataFrame,
        store: RunStore,
        assignment: pd.DataFrame,
        restricted: Collection[str],
        uri: str | None = None,
        view: Path | None = None,
    ) -> None:
        self._grid, self._store, self._uri, self._view = grid, store, uri, view
        self._assignment, self._restricted = assignment, restricted
        grouped = grid.groupby(["study", "setting"], sort=False)
        self._rows: dict[Setting, pd.DataFrame] = {(str(study), str(name)): rows for (study, name), rows in grouped}
        self._tracker: tracker.Tracker | None = None
        self._described: set[str] = set()
        self._logged: dict[Setting, list[SeedRun]] = {}
        self._metrics: dict[Setting, pd.DataFrame] = {}
        self._data: dict[tuple[str, str], tuple[DataSet, ...]] = {}
        self._labels: dict[str, tuple[str, str]] = {}  # cohort -> the names of targets 0 and 1
        self._fixed: dict[tuple[str, str], str] = {}  # cohort and protocol -> the hash of the fixed split's data
        self._models_done = False
        self.failure = ""  # the last one, as the start of a sentence
        self.steps = 0  # counts what was done: who waits sees that it goes on
        self.new = self.known = 0  # runs that this object logged, and that MLflow had

    def keep_provenance(self, run: str, tags: dict[str, str]) -> None:
        """Keeps where ``run`` comes from beside the runs, so that MLflow's store can be made anew."""
        with suppress(OSError):  # a full disk, say: the run is logged all the same
            provenance.keep(self._store.folder, run, tags, lambda: self._seedless(read_record(self._store.path(run))))

    def log(self, trained: Collection[str], partly: bool = False) -> None:
        """Logs the settings whose runs are all in ``trained``; ``partly``: also those of which a run is."""
        failures, trained = 0, set(trained)
        for (study, setting), rows in self._rows.items():
            if (study, setting) in self._logged or trained.isdisjoint(rows["run"]):
                continue
            there = rows[rows["run"].isin(trained)]
            if len(there) < len(rows) and not partly:
                continue
            if self._survives(partial(self._log_setting, study, setting, there)):
                failures = 0
                continue
            failures += 1
            if failures == FAILURES or self._tracker is None:
                return

    def register(self, seeds: Sequence[int]) -> None:
        """Registers of each study the best run and the mean network of the setting that wins on validation.

        The winner is named among the settings of which all ``seeds`` are logged.
        """
        self._models_done = bool(self._logged) and self._survives(partial(self._register, seeds))

    def missing(self, trained: Collection[str]) -> str:
        """What is not logged of the runs ``trained``, as the end of a sentence; empty where all is."""
        rows = self._grid[self._grid["run"].isin(list(trained))]
        settings = rows[["study", "setting"]].drop_duplicates().itertuples(index=False, name=None)
        missing = [f"{study}, {setting}" for study, setting in settings if (study, setting) not in self._logged]
        if missing:
            return f"not logged: {'; '.join(missing)}"
        return "" if self._models_done or rows.empty else "the best models of the studies are not registered"

    def _survives(self, step: Callable[[], None]) -> bool:
        """Whether ``step`` went well; whatever MLflow, its store or a place of artifacts raises is kept."""
        try:
            self._open()
            step()
        except Exception as error:
            self.failure = f"MLflow failed: {reason(error)}"
            return False
        return True

    def _open(self) -> tracker.Tracker:
        if self._tracker is None:
            self._tracker = tracker.open_tracker(self._uri)
        return self._tracker

    def _log_setting(self, study: str, setting: str, rows: pd.DataFrame) -> None:
        metrics = metric_table(rows, {name: read_run(self._store.path(name)) for name in rows["run"]})
        seed_runs = [self._seed_run(name, metrics[metrics["run"] == name]) for name in rows["run"]]
        opened = self._open()
        if study not in self._described:
            opened.describe(study, list(self._grid.loc[self._grid["study"] == study, "setting"].unique()))
            self._described.add(study)
        new = opened.log_setting(study, setting, seed_runs, self._draw, self._picture(study, setting, seed_runs))
        self.new, self.known = self.new + new, self.known + len(seed_runs) - new
        self._logged[study, setting], self._metrics[study, setting] = seed_runs, metrics
        self.steps += 1

    def _seed_run(self, name: str, metrics: pd.DataFrame) -> SeedRun:
        values = {f"{row.part}_{m}": getattr(row, m) for row in metrics.itertuples() for m in summaries.METRICS}
        status = max(metrics["status"], key=STATUSES.index)
        run = SeedRun(self._store.path(name), values, status)
        setting = run.record["setting"]
        key = setting["cohort"], column_of(setting["protocol"], setting.get("redraw", False), run.record["seed"])
        if key not in self._data:
            self._data[key] = data_sets(self._assignment, *key)
        origin = provenance.kept(self._store.folder, name) or Provenance()
        if setting.get("redraw") and not origin.seedless:
            origin = dataclasses.replace(origin, seedless=self._seedless(run.record))
        cohort = setting["cohort"]
        if cohort not in self._labels:
            self._labels[cohort] = labels_of(self._assignment, cohort)
        there = self._view is not None and self._view.is_file() and cohort != "views"
        view = self._view if there else None
        return SeedRun(run.folder, values, status, self._data[key], origin, self._labels[cohort], view)

    def _seedless(self, record: Mapping[str, Any]) -> str:
        """The fingerprint of a run without its seed; for a redrawn split the fixed one of its protocol stands."""
        setting = record["setting"]
        if not setting.get("redraw"):
            return logged.seedless(record)
        key = setting["cohort"], setting["protocol"]
        if key not in self._fixed:
            self._fixed[key] = data_sha256(select(self._assignment, *key))
        return logged.seedless(record, self._fixed[key])

    def _draw(self, seed_run: SeedRun) -> "dict[str, Figure]":
        self.steps += 1
        history = read_table(seed_run.folder / "history.csv", "history")
        scores = read_table(seed_run.folder / "scores.csv", "scores")
        return {"curves": draw_run(history, scores)}

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

    def _register(self, seeds: Sequence[int]) -> None:
        opened = self._open()
        means: list[tuple[str, str, MeanRun, Choice]] = []
        with tempfile.TemporaryDirectory() as folder:
            for study in self._grid["study"].unique():
                winner = self._winner(study, seeds)
                if winner is None:
                    continue  # every run diverged, or no setting has all its seeds
                runs = self._logged[study, winner]
                best = max(runs, key=lambda run: (run.metrics["validation_accuracy"], -run.metrics["validation_loss"]))
                opened.register_best(study, winner, best, self._choice(study, best, best.metrics))
                if best.record["setting"].get("redraw"):
                    continue  # each seed's network was trained on images that test the others: nothing can test a mean
                file = Path(folder) / f"{len(means)}.keras"
                mean = MeanRun(runs, file, _metrics_of_mean([run.folder for run in runs]))
                choice = self._choice(study, best, mean.metrics)
                if opened.would_register_mean(choice):
                    means.append((study, winner, mean, choice))
                self.steps += 1
            average.write_all([([run.network.file for run in mean.of], mean.file) for _, _, mean, _ in means])
            for study, winner, mean, choice in means:
                opened.register_mean(study, winner, mean, choice)
                self.steps += 1

    def _winner(self, study: str, seeds: Sequence[int]) -> str | None:
        complete = {
            setting: table
            for (of, setting), table in self._metrics.items()
            if of == study and set(seeds) <= set(table["seed"])
        }
        if not complete:
            return None
        metrics = pd.concat(complete.values())
        order = [one for one in self._grid.loc[self._grid["study"] == study, "setting"].unique() if one in complete]
        splits = splits_of({one: self._logged[study, one][0].record["setting"] for one in order})
        return summaries.winner(summaries.summarise(metrics, study, order, seeds, splits))

    def _choice(self, study: str, run: SeedRun, metrics: Mapping[str, float]) -> Choice:
        data = [one for (of, _), runs in self._logged.items() if of == study for each in runs for one in each.data]
        experiment = (run.provenance.experiments or ["workspace"])[0]
        accuracy, loss = metrics["validation_accuracy"], metrics["validation_loss"]
        return Choice(study, experiment, accuracy, loss, digest_of_validation(data))


def _metrics_of_mean(runs: Sequence[Path]) -> dict[str, float]:
    """The final metrics of the mean network of ``runs``: of an image it says the mean of their scores."""
    found = metrics_of_mean([read_table(run / "scores.csv", "scores") for run in runs])
    return {f"{part}_{name}": value for part, values in found.items() for name, value in values.items()}
