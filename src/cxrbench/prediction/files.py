"""Files and folders -> a table or a JSON file with what the networks say; what ``cxrbench predict`` does.

Decoding runs beside the networks, in the order of the files, in memory that does not grow with their number.
"""

import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import IO, cast

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.folders import list_files
from cxrbench.base.row_file import csv_cell, written_whole
from cxrbench.base.tables import TABLES
from cxrbench.images.parallel import map_each
from cxrbench.prediction.judge import Prediction, judge
from cxrbench.prediction.look import look, shapes_of
from cxrbench.prediction.model import Model
from cxrbench.views import network, stream

COLUMNS = list(TABLES["predictions"])


def all_files(named: Sequence[str]) -> tuple[list[str], int]:
    """The files of that name and those in the folders of that name, each once, and how many of tools were skipped."""
    files: dict[str, None] = {}
    skipped = 0
    for name in named:
        if not os.path.lexists(name):
            raise CxrbenchError(f"{name} does not exist; name files or folders that are there")
        if os.path.isdir(name):
            found, left = list_files(name)
            files |= dict.fromkeys(found)
            skipped += left
        else:
            files[name] = None
    return list(files), skipped


def predict(files: Sequence[str], model: Model, workers: int) -> Iterator[Prediction]:
    """What ``model`` says of each file, in their order; ``workers`` processes decode.

    Raises CxrbenchError where the model cannot be used.
    """
    if not files:
        return
    shapes = shapes_of(model)
    decoding = cast("Generator[object, None, None]", map_each(partial(look, shapes=shapes), files, workers))
    with network.started(model.networks, threads=workers) as score, closing(decoding) as looks:
        said = partial(judge, model=model, score=score)
        yield from stream.in_batches(zip(files, looks), said, shapes.square_bytes)


def write_predictions(
    files: Sequence[str], model: Model, out: Path | None, workers: int, advance: Callable[[int, str], None]
) -> Counter[str]:
    """Writes what ``model`` says of ``files`` to ``out``, CSV or JSON by its ending, or as CSV to standard output.

    The file is there whole or not at all. Gives how many images were called what.
    """
    if out is None:
        return _write(predict(files, model, workers), sys.stdout, _csv, advance)
    form = {".csv": _csv, ".json": _json}.get(out.suffix.lower())
    if form is None:
        raise CxrbenchError(f"--out is {out}; its name must end in .csv or .json")
    with written_whole(out) as file:
        return _write(predict(files, model, workers), file, form, advance)


def _write(
    predictions: Iterator[Prediction],
    file: IO[str],
    form: Callable[[Iterator[Prediction]], Iterator[str]],
    advance: Callable[[int, str], None],
) -> Counter[str]:
    counts: Counter[str] = Counter()

    def counted() -> Iterator[Prediction]:
        for each in predictions:
            counts[each.kind] += 1
            yield each
            advance(1, "")

    for text in form(counted()):
        file.write(text)
    return counts


def _csv(predictions: Iterator[Prediction]) -> Iterator[str]:
    yield ",".join(COLUMNS) + "\n"
    for each in predictions:
        yield ",".join(csv_cell(_text(value)) for value in each.row().values()) + "\n"


def _json(predictions: Iterator[Prediction]) -> Iterator[str]:
    """One JSON document, an array, which json.load and ``jq '.[]'`` read; each object in a line of its own."""
    before = "[\n"
    for each in predictions:
        yield before + json.dumps(each.row(), ensure_ascii=False, allow_nan=False)
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def _text(value: object) -> str:
    return "" if value is None else f"{value:.9g}" if isinstance(value, float) else str(value)
