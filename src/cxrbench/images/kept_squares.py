"""The array of squares, guarded against its disk: there is room for it, and its bytes are those that were made.

An array is written through memory, where a disk that fills up ends the process without a word; so room is asked for
first. One whose bytes the disk changed since is made again, and not trained on.
"""

import errno
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from cxrbench.base.files import sha256_of, write_text
from cxrbench.images import decode
from cxrbench.images.squares import _digest, grey_squares  # a public name would count as other code of every run

SPARE_BYTES = 2**16  # for the file's head, the list and the checksum beside it


def kept_squares(
    paths: Sequence[str],
    sha256s: Sequence[str],
    size_px: int,
    resize: str,
    cache: Path,
    workers: int,
    advance: Callable[[int, str], None],
) -> Path:
    """``grey_squares``, with the checksum of the array beside it, by which it is checked whenever it is asked for.

    OSError where the disk has no room for the array.
    """
    array = cache / f"{_digest([decode.version(), str(size_px), resize])}-{_digest(sha256s)}.npy"
    told = array.with_suffix(".sha256")
    if array.is_file() and told.is_file() and told.read_text(encoding="utf-8") != sha256_of(array):
        print(f"{array} is damaged; it is made again", file=sys.stderr)
        for one in (array, told):
            one.unlink(missing_ok=True)
    if not array.is_file():
        told.unlink(missing_ok=True)  # of an array that is gone
        _need_room(cache, len(paths) * size_px**2 + SPARE_BYTES)
    made = grey_squares(paths, sha256s, size_px, resize, cache, workers, advance)
    if not told.is_file():
        write_text(told, sha256_of(made))
    return made


def _need_room(folder: Path, needed_bytes: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(folder).free < needed_bytes:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))
