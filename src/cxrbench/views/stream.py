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
from typing import TypeVar, cast

import numpy as np

from cxrbench.images.decode import Undecodable, load_square
from cxrbench.images.parallel import Lost, map_each
from cxrbench.views import network
from cxrbench.views.stored import ViewModel

BATCH = 64
WAITING_BYTES = 32 * 2**20  # of decoded squares, while the network starts or lags
Item = TypeVar("Item")
Result = TypeVar("Result")
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
    with network.started([model.network], threads=workers) as score, closing(decoding) as squares:
        yield from score_squares(zip((file.path for file in files), squares), score, model.image_size)


def score_squares(
    squares: Iterable[tuple[str, Square]], score: Callable[[np.ndarray], np.ndarray], size_px: int
) -> Iterator[Scored]:
    """``score`` of uint8 [n, size_px, size_px, 1] for batches of squares, while the next are drawn from ``squares``."""
    return in_batches(squares, partial(_scored, score=score, size_px=size_px), size_px**2)


def in_batches(
    items: Iterable[Item], judge: Callable[[list[Item]], Sequence[Result]], item_bytes: int
) -> Iterator[Result]:
    """What ``judge`` says of each item, asked for batches in a thread of its own while the next items are drawn.

    Of items drawn but not yet yielded there are never more than WAITING_BYTES and one batch.
    """
    most = WAITING_BYTES // (BATCH * item_bytes)
    waiting: deque[Future[Sequence[Result]]] = deque()
    source = iter(items)
    line = ThreadPoolExecutor(1)
    try:
        while drawn := list(islice(source, BATCH)):
            waiting.append(line.submit(judge, drawn))
            while waiting and (len(waiting) > most or waiting[0].done()):
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    finally:
        line.shutdown(wait=False, cancel_futures=True)  # a network that is still starting is not waited for


def refusal_of(path: str, decoded: object) -> Undecodable | None:
    """Why there is nothing to look at in what decoding gave for the file ``path``; None where there is."""
    if isinstance(decoded, Lost):
        return decoded.refusal(path)
    return decoded if isinstance(decoded, Undecodable) else None


def _scored(drawn: list[tuple[str, Square]], score: Callable[[np.ndarray], np.ndarray], size_px: int) -> list[Scored]:
    images = [square for _, square in drawn if isinstance(square, np.ndarray)]
    stacked = np.stack(images)[..., None] if images else np.empty((0, size_px, size_px, 1), np.uint8)
    scores = iter(score(stacked))
    refused = [(path, refusal_of(path, square)) for path, square in drawn]
    return [Scored(path, math.nan if refusal else float(next(scores)), refusal) for path, refusal in refused]


def _square(file: File, size_px: int) -> np.ndarray | Undecodable:
    try:
        return load_square(file.path, size_px, file.resize, file.sha256)
    except Undecodable as refusal:
        return refusal
