"""Any folder of images -> the table 'views', one row a file; what ``cxrbench views`` does.

The table is written row by row, so that memory does not grow with the folder, under a temporary name that becomes
the table's when all is there.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np

from cxrbench.base.errors import CxrbenchError
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
    with _written_whole(out) as table:
        table.write(",".join(TABLES["views"]) + "\n")
        for each in score_files(shown, model, workers):
            view = str(called(np.array([each.score]), model.abstain)[0])
            score = "" if np.isnan(each.score) else f"{each.score:.9g}"
            row = (each.path, view, score, "" if view else _reason(each))
            table.write(",".join(map(_cell, row)) + "\n")
            counts[UNUSABLE if each.refusal else view] += 1
            advance(1, "")
    return counts


def _reason(each: Scored) -> str:
    if each.refusal:
        return f"{each.refusal.reason}: {each.refusal.detail}"
    return NO_SCORE if np.isnan(each.score) else ABSTAINS


def _cell(text: str) -> str:
    """As RFC 4180 wants it; the csv module of Python 3.11 leaves a carriage return bare."""
    return '"' + text.replace('"', '""') + '"' if any(letter in text for letter in ',"\r\n') else text


@contextmanager
def _written_whole(path: Path) -> Iterator[IO[str]]:
    """A text file that takes the name ``path`` when all of it is written; a name that is not UTF-8 is escaped."""
    if path.is_dir():
        raise CxrbenchError(f"{path} is a folder; give --out a file's name")
    temporary = path.with_name(f".{path.name}.tmp-{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="")
    except OSError as error:
        raise CxrbenchError(f"{path} cannot be written: {error.strerror}; choose another --out") from None
    try:
        with file:
            yield file
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
