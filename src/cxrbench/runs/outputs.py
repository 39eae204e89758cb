"""What the grid hands on to later stages: its table, and of each run what is read of it. Models stay in the store."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from cxrbench.base.tables import write_table
from cxrbench.config.studies import PlannedRun
from cxrbench.runs.plan import fingerprints
from cxrbench.runs.store import RunStore


def grid_table(planned: Sequence[PlannedRun], assignment: pd.DataFrame) -> pd.DataFrame:
    """The table 'grid': study, setting, seed and the run that answers it, in the order of ``planned``."""
    asked = [(run.study, run.label, run.seed) for run in planned]
    return pd.DataFrame(asked, columns=["study", "setting", "seed"]).assign(run=fingerprints(planned, assignment))


def write_outputs(folder: Path, grid: pd.DataFrame, store: RunStore) -> None:
    """Writes grid.csv, and a folder for each distinct run of the grid, into ``folder``."""
    for run in grid["run"].unique():
        store.copy_out(run, folder / run)
    write_table(folder / "grid.csv", grid, "grid")
