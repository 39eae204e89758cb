"""Images as one array of grey squares, decoded once for a list of files and shared by all runs.

The array lies in a cache file that every worker maps into memory, so that ten runs hold it once.
"""

import hashlib
import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from cxrbench.images import decode
from cxrbench.images.parallel import Lost, map_each

WORTH_A_POOL = 512  # files


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

    ``sha256s`` are the files' hashes: with the size, the way of resizing and what decodes they name the cache
    file. Raises CxrbenchError where a file can't be decoded, isn't the one that was hashed, or ends its decoder.
    """
    names = [decode.version(), str(size_px), resize, *sha256s]
    key = hashlib.sha256("\n".join(names).encode()).hexdigest()[:24]
    target = cache / f"{key}.npy"
    if target.is_file():
        advance(len(paths), "")
        return target
    cache.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f"{target.name}.tmp-{os.getpid()}")
    try:
        shape = (len(paths), size_px, size_px, 1)
        array = np.lib.format.open_memmap(temporary, mode="w+", dtype="uint8", shape=shape)
        square_of = partial(_square, size_px=size_px, resize=resize)
        # A few files are decoded here: they were decoded before, and to start processes takes longer.
        squares = map_each(square_of, list(zip(paths, sha256s)), workers if len(paths) >= WORTH_A_POOL else 0)
        for index, square in enumerate(squares):
            if isinstance(square, Lost):
                raise decode.Undecodable(paths[index], square.reason, square.detail)
            array[index, :, :, 0] = square
            advance(1, "decoding")
        array.flush()
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
    return target


def _square(file: tuple[str, str], size_px: int, resize: str) -> np.ndarray:
    path, sha256 = file
    return decode.load_square(path, size_px, resize, sha256)
