"""Which image is in which part: each protocol's fixed split, and the splits drawn anew for each seed, in one table.

On disk they are two tables, 'assignment' and 'redrawn'. In memory a redrawn split is one more column beside those of
the protocols, so whatever takes the name of a protocol's column takes that of a redrawn split too.
"""

from pathlib import Path

import pandas as pd

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.tables import PROTOCOLS, read_if_there, read_table

IMAGE = ["cohort", "source", "image_id"]


def column_of(protocol: str, redraw: bool, seed: int) -> str:
    """The column that says the part of each image in a run of this protocol and seed."""
    return f"{protocol}, seed {seed}" if redraw else protocol


def read_assignment(folder: str | Path = "data/split") -> pd.DataFrame:
    """The table 'assignment' in ``folder`` and, as columns more, the splits of the table 'redrawn' there."""
    folder = Path(folder)
    assignment = read_table(folder / "assignment.csv", "assignment")
    return with_redrawn(assignment, read_if_there(folder / "redrawn.csv", "redrawn"))


def with_redrawn(assignment: pd.DataFrame, redrawn: pd.DataFrame) -> pd.DataFrame:
    """``assignment`` with a column for each protocol and seed of ``redrawn``; '' where an image is in no part."""
    table = assignment
    for seed, rows in redrawn.groupby("seed"):
        names = {protocol: column_of(protocol, True, int(str(seed))) for protocol in PROTOCOLS}
        columns = rows[[*IMAGE, *PROTOCOLS]].rename(columns=names)
        table = table.merge(columns, on=IMAGE, how="left", validate="1:1")
        table[list(names.values())] = table[list(names.values())].fillna("")
    return table


def need(assignment: pd.DataFrame, column: str) -> None:
    """Raises CxrbenchError where the split of that column was not drawn."""
    if column not in assignment:
        raise CxrbenchError(f"data/split/redrawn.csv has no split '{column}'; run 'dvc repro split' to draw it")
