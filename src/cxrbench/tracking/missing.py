"""Logs afterwards what MLflow does not have of a grid: what a failure left out, or all, into a store made anew."""

import dataclasses
from collections.abc import Collection, Sequence
from pathlib import Path

import pandas as pd

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.workspace import tracking_uri
from cxrbench.runs.store import RunStore
from cxrbench.tracking.failure import without_password
from cxrbench.tracking.grid_log import GridLog


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What was done, in runs of settings: a run that two studies share counts twice, as MLflow shows it."""

    new: int  # logged now
    known: int  # MLflow had them
    untrained: int  # of the grid, but not in the run store
    uri: str  # without a password


def log_missing(
    grid: pd.DataFrame,
    store: RunStore,
    assignment: pd.DataFrame,
    restricted: Collection[str],
    seeds: Sequence[int],
    uri: str | None = None,
    view: Path | None = None,
) -> Outcome:
    """Logs what the store ``uri`` lacks of the runs of ``grid`` in ``store``; the arguments are those of ``GridLog``.

    Raises CxrbenchError where something can't be logged; what could be is.
    """
    trained = {run for run in grid["run"].unique() if store.path(run).is_dir()}
    log, where = GridLog(grid, store, assignment, restricted, uri, view), without_password(tracking_uri(uri))
    log.log(trained, partly=True)
    log.register(seeds)
    if missing := log.missing(trained):
        raise CxrbenchError(f"{log.failure}; {missing}; {log.new} runs were logged to {where}, {log.known} were there")
    return Outcome(log.new, log.known, int((~grid["run"].isin(list(trained))).sum()), where)
