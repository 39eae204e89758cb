"""Files in, P(frontal) out: decoding runs beside the network, in the order of the files, in constant memory.

Decoding is what takes the time (20 ms for a JPEG of 2,500 x 3,000 px at an eighth of its size, the small network
0.2 ms; benchmarks/view_filter.py), so every worker decodes and nothing makes them wait but a full queue.
"""

import dataclasses
import math
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from functools import partial
from itertools import islice
from typing import cast

import numpy as np

from cxrbench.images.decode import Undecodable, load_square
from cxrbench.images.parallel import Lost, map_each
from cxrbench.views import network
from cxrbench.views.stored import ViewModel

BATCH = 64
WAITING_BYTES = 32 * 2**20  # of decoded squares, while the network starts or lags
Square = np.ndarray | Undecodable | Lost  # uint8 [h, w], or why there is none


@dataclasses.dataclass(frozen=True, slots=True)
class Scored:
    """What the network says of one file."""

    path: str
    score: float  # P(frontal), or NaN
    refusal: Undecodable | None = None  # why the file has no score


@dataclasses.dataclass(frozen=True, slots=True)
class File:
    """A file to be judged and how to look at it."""

    path: str
    resize: str  # squash | pad | trim
    sha256: str | None = None  # of its bytes, where they are to be those of a manifest


def score_files(files: Sequence[File], model: ViewModel, workers: int) -> Iterator[Scored]:
    """What ``model`` says of each file, in their order; ``workers`` processes decode.

    Raises CxrbenchError where the model cannot be used, or where a file's bytes are not those of its ``sha256``.
    """
    if not files:
        return
    square_of = partial(_square, size_px=model.image_size)
    decoding = cast("Generator[Square, None, None]", map_each(square_of, files, workers))
    with network.started(model, threads=workers) as score, closing(decoding) as squares:
        yield from score_squares(zip((file.path for file in files), squares), score, model.image_size)


def score_squares(
    squares: Iterable[tuple[str, Square]], score: Callable[[np.ndarray], np.ndarray], size_px: int
) -> Iterator[Scored]:
    """``score`` of uint8 [n, size_px, size_px, 1] for batches of squares, while the next are drawn from ``squares``.

    Of squares drawn but not yet yielded there are never more than WAITING_BYTES and one batch.
    """
    most = WAITING_BYTES // (BATCH * size_px**2)
    waiting: deque[tuple[list[Scored], Future[np.ndarray]]] = deque()
    source = iter(squares)
    line = ThreadPoolExecutor(1)
    try:
        while drawn := list(islice(source, BATCH)):
            images = [square for _, square in drawn if isinstance(square, np.ndarray)]
            stacked = np.stack(images)[..., None] if images else np.empty((0, size_px, size_px, 1), np.uint8)
            waiting.append(([_unscored(*each) for each in drawn], line.submit(score, stacked)))
            while waiting and (len(waiting) > most or waiting[0][1].done()):
                yield from _scored(*waiting.popleft())
        while waiting:
            yield from _scored(*waiting.popleft())
    finally:
        line.shutdown(wait=False, cancel_futures=True)  # a network that is still starting is not waited for


def _unscored(path: str, square: Square) -> Scored:
    if isinstance(square, Lost):
        square = square.refusal(path)
    return Scored(path, math.nan, square if isinstance(square, Undecodable) else None)


def _scored(batch: list[Scored], scores: "Future[np.ndarray]") -> Iterator[Scored]:
    score_of = iter(scores.result())
    for each in batch:
        yield each if each.refusal else dataclasses.replace(each, score=float(next(score_of)))


def _square(file: File, size_px: int) -> np.ndarray | Undecodable:
    try:
        return load_square(file.path, size_px, file.resize, file.sha256)
    except Undecodable as refusal:
        return refusal
