"""Images as one array of grey squares, decoded once for a list of files and shared by all runs.

The array lies in a cache file that every worker maps into memory, so that ten runs hold it once.
"""

import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from cxrbench.cohorts.decode import load_square

CHUNK = 64  # files handed to a process at once


def grey_squares(
    paths: Sequence[str],
    sha256s: Sequence[str],
    size_px: int,
    resize: str,
    cache: Path,
    workers: int,
    advance: Callable[[int, str], None],
) -> Path:
    """The .npy file of the images, uint8 [n, size_px, size_px, 1] in the order of ``paths``; made if absent.

    ``sha256s`` are the files' hashes: with the size and the way of resizing they name the cache file.
    """
    key = hashlib.sha256("\n".join([str(size_px), resize, *sha256s]).encode()).hexdigest()[:24]
    target = cache / f"{key}.npy"
    if target.is_file():
        advance(len(paths), "")
        return target
    cache.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f"{target.name}.tmp-{os.getpid()}")
    try:
        shape = (len(paths), size_px, size_px, 1)
        array = np.lib.format.open_memmap(temporary, mode="w+", dtype="uint8", shape=shape)
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            squares = pool.map(load_square, paths, repeat(size_px), repeat(resize), chunksize=CHUNK)
            for index, square in enumerate(squares):
                array[index, :, :, 0] = square
                advance(1, "decoding")
        array.flush()
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
    return target
