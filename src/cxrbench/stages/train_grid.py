"""train-grid: every run of every study, each distinct run once, tracked in MLflow as it is finished."""

from pathlib import Path

from cxrbench.base.assignment import read_assignment
from cxrbench.base.entry import run
from cxrbench.base.origins import write_origins
from cxrbench.base.workspace import array_cache_dir, run_store_dir
from cxrbench.config import params as parameters
from cxrbench.config.studies import split_runnable, why_not_run
from cxrbench.evaluation.study_settings import settings_of, write_settings
from cxrbench.runs import outputs, plan
from cxrbench.runs.store import RunStore
from cxrbench.tracking.grid_tracker import GridTracker
from cxrbench.tracking.provenance import origins
from cxrbench.training import backend

OUT = Path("data/train-grid")
VIEW_NETWORK = Path("data/view-filter/model.keras")  # goes with each logged model


def main() -> None:
    params = parameters.load()
    backend.choose(params.backend)
    assignment = read_assignment()
    store = RunStore(run_store_dir())
    planned, skipped = split_runnable(params.planned_runs(), assignment)
    reasons = {one.setting: why_not_run(one.setting) for one in skipped}
    for line in dict.fromkeys(f"{one.study}, {one.label}: skipped, because {reasons[one.setting]}" for one in skipped):
        print(line)
    grid = outputs.grid_table(planned, assignment)
    tracker = GridTracker(grid, store, assignment, params.restricted, VIEW_NETWORK)
    failed = None
    try:
        where = (array_cache_dir(), params.workers, tracker.on_run, params.executor)
        plan.train_missing(planned, assignment, store, *where)
    except plan.RunsFailed as error:  # everything else is written before the stage fails
        failed, grid = error, grid[~grid["run"].isin(error.runs)]
    outputs.write_outputs(OUT, grid, store)
    write_settings(OUT / "settings.json", settings_of(params.planned_runs(), reasons))
    tracker.finish(params.seeds)
    write_origins(OUT, origins(store.folder, grid["run"]))
    if failed:
        raise failed


if __name__ == "__main__":
    run(main)
