"""``cxrbench track``: what MLflow does not have yet, from the run store."""

import argparse
from pathlib import Path

TRACK = """\
Logs the runs of the present grid that MLflow does not have, with their curves, figures and models, and registers the
best models of each study, and attaches reports/report.html if it is there. Nothing is trained. Run it after MLflow
failed while training went on, or to make a lost or moved MLflow store anew; a second time it changes nothing.

It reads params.yaml, data/split/assignment.csv, data/train-grid/grid.csv (without one, the grid that params.yaml
asks for) and the run store. Runs of earlier grids are not logged.
"""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command to the command line."""
    track = commands.add_parser(
        "track",
        help="log to MLflow what it does not have yet",
        description=TRACK,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    track.add_argument(
        "--to",
        metavar="URI",
        help="another MLflow store, as sqlite:///copy/mlflow.db or http://host:5000 (default: MLFLOW_TRACKING_URI,"
        " else sqlite:///mlruns/mlflow.db); a relative path is taken from the workspace",
    )
    track.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """The exit code of the command with these options."""
    from cxrbench.base.assignment import read_assignment
    from cxrbench.base.tables import read_table
    from cxrbench.base.workspace import run_store_dir
    from cxrbench.config import params as parameters
    from cxrbench.config.studies import split_runnable
    from cxrbench.runs.outputs import grid_table
    from cxrbench.runs.store import RunStore
    from cxrbench.tracking import report_log
    from cxrbench.tracking.missing import log_missing
    from cxrbench.training import backend

    params = parameters.load()
    backend.choose(params.backend)
    assignment = read_assignment()
    trained = Path("data/train-grid/grid.csv")
    if trained.is_file():
        grid = read_table(trained, "grid")
    else:
        grid = grid_table(split_runnable(params.planned_runs(), assignment)[0], assignment)
    store = RunStore(run_store_dir())
    view = Path("data/view-filter/model.keras")
    outcome = log_missing(grid, store, assignment, params.restricted, params.seeds, options.to, view)
    print(f"{outcome.new} runs logged to {outcome.uri}, {outcome.known} were there")
    if outcome.untrained:
        print(f"{outcome.untrained} runs of the grid are not in {store.folder}; 'dvc repro train-grid' trains them")
    report = Path("reports")
    if (report / report_log.PAGE).is_file():
        became = report_log.attach_or_fail(report, params.restricted, options.to)
        print(f"{report / report_log.PAGE} is {'attached' if became == report_log.PAGE else became}")
    return 0
