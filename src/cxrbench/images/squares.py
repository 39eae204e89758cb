"""Images as one array of grey squares, each file decoded once for all lists that hold it.

The array lies in a cache file that every worker maps into memory, so that ten runs hold it once. Beside it lies the
list of its files' hashes: an image that another list of the cache holds already is copied from there.
"""

import hashlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from cxrbench.base.files import replaced_when_whole, write_text
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
    form = _digest([decode.version(), str(size_px), resize])
    target = cache / f"{form}-{_digest(sha256s)}.npy"
    if target.is_file():
        advance(len(paths), "")
        return target
    with replaced_when_whole(target) as temporary:
        shape = (len(paths), size_px, size_px, 1)
        array = np.lib.format.open_memmap(temporary, mode="w+", dtype="uint8", shape=shape)
        missing = _copy_known(array, sha256s, cache, form)
        advance(len(paths) - len(missing), "")
        square_of = partial(_square, size_px=size_px, resize=resize)
        files = [(paths[place], sha256s[place]) for place in missing]
        # A few files are decoded here: they were decoded before, and to start processes takes longer.
        squares = map_each(square_of, files, workers if len(files) >= WORTH_A_POOL else 0)
        for place, square in zip(missing, squares):
            if isinstance(square, Lost):
                raise decode.Undecodable(paths[place], square.reason, square.detail)
            array[place, :, :, 0] = square
            advance(1, "decoding")
        array.flush()
    write_text(target.with_suffix(".txt"), "\n".join(sha256s))
    return target


def _copy_known(array: np.ndarray, sha256s: Sequence[str], cache: Path, form: str) -> list[int]:
    """Copies what other arrays of this form hold into ``array``; the places of the images that none holds."""
    places: dict[str, list[int]] = {}
    for place, sha256 in enumerate(sha256s):
        places.setdefault(sha256, []).append(place)
    for listed in sorted(cache.glob(f"{form}-*.txt")):
        try:
            other = np.load(listed.with_suffix(".npy"), mmap_mode="r")
            held = listed.read_text(encoding="utf-8").split("\n")
        except (OSError, ValueError):  # a cache may lose files at any time
            continue
        for row, sha256 in enumerate(held[: len(other)]):
            for place in places.pop(sha256, ()):
                array[place] = other[row]
    return sorted(place for rest in places.values() for place in rest)


def _digest(names: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:24]


def _square(file: tuple[str, str], size_px: int, resize: str) -> np.ndarray:
    path, sha256 = file
    return decode.load_square(path, size_px, resize, sha256)
