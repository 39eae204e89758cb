"""The array of squares as it was made: one whose bytes the disk changed since is made again, and not trained on."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from cxrbench.base.files import sha256_of, write_text
from cxrbench.images.squares import grey_squares


def kept_squares(
    paths: Sequence[str],
    sha256s: Sequence[str],
    size_px: int,
    resize: str,
    cache: Path,
    workers: int,
    advance: Callable[[int, str], None],
) -> Path:
    """``grey_squares``, with the checksum of the array beside it, by which it is checked whenever it is asked for."""
    array = grey_squares(paths, sha256s, size_px, resize, cache, workers, advance)
    told = array.with_suffix(".sha256")
    if told.is_file() and told.read_text(encoding="utf-8") != sha256_of(array):
        print(f"{array} is damaged; it is made again", file=sys.stderr)
        for one in (array, told):
            one.unlink(missing_ok=True)
        grey_squares(paths, sha256s, size_px, resize, cache, workers, lambda steps, detail: None)
    if not told.is_file():
        write_text(told, sha256_of(array))
    return array
