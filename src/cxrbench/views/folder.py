"""Any folder of images -> the table 'views', one row a file; what ``cxrbench views`` does.

The table is written row by row, so that memory does not grow with the folder, under a temporary name that becomes
the table's when all is there.
"""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

from cxrbench.base.row_file import csv_cell, written_whole
from cxrbench.base.tables import TABLES
from cxrbench.views.decide import ABSTAINS, NO_SCORE, called
from cxrbench.views.stored import ViewModel
from cxrbench.views.stream import File, Scored, score_files

UNUSABLE = "unusable"


def call_views(
    files: list[str], model: ViewModel, out: Path, workers: int, advance: Callable[[int, str], None]
) -> dict[str, int]:
    """Writes the table 'views' of ``files`` to ``out``; how many are frontal, lateral, undecided ('') and unusable."""
    counts: Counter[str] = Counter()
    shown = [File(path, model.resize_for(None)) for path in files]
    with written_whole(out) as table:
        table.write(",".join(TABLES["views"]) + "\n")
        for each in score_files(shown, model, workers):
            view = str(called(np.array([each.score]), model.abstain)[0])
            score = "" if np.isnan(each.score) else f"{each.score:.9g}"
            row = (each.path, view, score, "" if view else _reason(each))
            table.write(",".join(map(csv_cell, row)) + "\n")
            counts[UNUSABLE if each.refusal else view] += 1
            advance(1, "")
    return counts


def _reason(each: Scored) -> str:
    if each.refusal:
        return f"{each.refusal.reason}: {each.refusal.detail}"
    return NO_SCORE if np.isnan(each.score) else ABSTAINS
