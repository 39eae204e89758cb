"""train-grid: every run of every study, each distinct run once, tracked in MLflow as it is finished."""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from cxrbench.base.entry import run
from cxrbench.base.tables import read_table, write_table
from cxrbench.base.workspace import array_cache_dir, run_store_dir
from cxrbench.config import params as parameters
from cxrbench.config.studies import split_runnable, why_not_run
from cxrbench.evaluation import summaries
from cxrbench.evaluation.runs import metric_table, read_run
from cxrbench.reporting import figures, mistakes
from cxrbench.runs import plan
from cxrbench.runs.store import RunStore
from cxrbench.tracking import tracker
from cxrbench.tracking.logged import Picture, SeedRun

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL.Image import Image

OUT = Path("data/train-grid")


def main() -> None:
    params = parameters.load()
    assignment = read_table("data/split/assignment.csv", "assignment")
    store = RunStore(run_store_dir())
    cells, left_out = split_runnable(params.planned_runs(), assignment)
    for told in dict.fromkeys(f"{one.study}, {one.label}: left out, {why_not_run(one.setting)}" for one in left_out):
        print(told)
    grid = pd.DataFrame(
        [(cell.study, cell.label, cell.seed) for cell in cells], columns=["study", "setting", "seed"]
    ).assign(run=plan.fingerprints(cells, assignment))

    cohorts = {(cell.study, cell.label): cell.setting.cohort for cell in cells}
    log = _Log(grid, store, assignment, cohorts, _restricted(params))
    plan.train_missing(cells, assignment, store, array_cache_dir(), params.workers, log.on_run)
    for name in grid["run"].unique():
        store.copy_out(name, OUT / name)
    write_table(OUT / "grid.csv", grid, "grid")
    log.register_best(params.seeds)


class _Log:
    """Tracks a setting as soon as all its seeds are there, and each study's best model at the end."""

    def __init__(
        self,
        grid: pd.DataFrame,
        store: RunStore,
        assignment: pd.DataFrame,
        cohorts: dict[tuple[str, str], str],
        restricted: set[str],
    ) -> None:
        self.grid, self.store = grid, store
        self.images, self.cohorts, self.restricted = assignment, cohorts, restricted
        self.tracker = tracker.open_tracker()
        self.done: set[str] = set()
        self.metrics: list[pd.DataFrame] = []
        self.tracked: dict[tuple[str, str], dict[str, SeedRun]] = {}
        for study, cells in grid.groupby("study", sort=False):
            self.tracker.describe(str(study), list(cells["setting"].unique()))

    def on_run(self, name: str) -> None:
        self.done.add(name)
        touched = self.grid[self.grid["run"] == name]
        for study, setting in touched[["study", "setting"]].drop_duplicates().itertuples(index=False):
            cells = self.grid[(self.grid["study"] == study) & (self.grid["setting"] == setting)]
            if set(cells["run"]) <= self.done:
                self._log_setting(study, setting, cells)

    def _log_setting(self, study: str, setting: str, cells: pd.DataFrame) -> None:
        metrics = metric_table(cells, {name: read_run(self.store.path(name)) for name in cells["run"]})
        self.metrics.append(metrics)
        tracked = {}
        for name in cells["run"]:
            rows = metrics[metrics["run"] == name]
            values = {f"{row.part}_{m}": getattr(row, m) for row in rows.itertuples() for m in summaries.METRICS}
            status = max(rows["status"], key=["ok", "degenerate", "diverged"].index)
            tracked[name] = SeedRun(self.store.path(name), values, status)
        self.tracked[study, setting] = tracked
        self.tracker.log_setting(study, setting, list(tracked.values()), _draw, self._picture(study, setting))

    def _picture(self, study: str, setting: str) -> Picture:
        """The worst mistakes of a tracked setting; drawn only if the tracker asks for it."""
        cohort, tracked = self.cohorts[study, setting], self.tracked[study, setting].values()
        seeds = ", ".join(str(one.record["seed"]) for one in tracked)

        def draw() -> "Image | None":
            scores = [read_table(one.folder / "scores.csv", "scores") for one in tracked]
            images = self.images[self.images["cohort"] == cohort]
            title = f"{study}, {setting}: the surest mistakes of the mean over seeds {seeds}"
            return mistakes.draw(title, scores, images)

        return Picture(draw, cohort in self.restricted)

    def register_best(self, seeds: tuple[int, ...]) -> None:
        """Registers each study's best run: of the setting that validation names, the seed that did best there."""
        metrics = pd.concat(self.metrics)
        for study, cells in self.grid.groupby("study", sort=False):
            settings = list(cells["setting"].unique())
            best = summaries.winner(summaries.summarise(metrics, str(study), settings, seeds))
            if best is None:
                continue  # every run diverged
            rows = metrics[(metrics["study"] == study) & (metrics["setting"] == best)]
            rows = rows[rows["part"] == "validation"].sort_values(["accuracy", "loss"], ascending=[False, True])
            self.tracker.register_best(str(study), best, self.tracked[str(study), best][rows["run"].iloc[0]])


def _restricted(params: parameters.Params) -> set[str]:
    """The cohorts whose pixels stay here; 'views', made of those that teach the view network, is as the strictest."""
    names = {name for name, cohort in params.cohorts.items() if cohort.pixels_stay_here}
    return names | {"views"} if names & set(params.views.quotas) else names


def _draw(tracked: SeedRun) -> "dict[str, Figure]":
    history = read_table(tracked.folder / "history.csv", "history")
    scores = read_table(tracked.folder / "scores.csv", "scores")
    return {"curves": figures.run_figure(history, scores)}


if __name__ == "__main__":
    run(main)
