"""Whether another process trains at the same time: a time counts as taken alone only where none does.

One file holds two things: a lock, shared by those that train and exclusive for who takes times, and a byte for each
process that ever began, so that one that came and went during a run is noticed too.
"""

import fcntl
import os
import sys
from pathlib import Path


class Beside:
    """From its making to the end of the context this process trains, or, ``alone``, waits until it alone does."""

    def __init__(self, path: Path, alone: bool) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = open(path, "ab", buffering=0)  # noqa: SIM115 - closed at the end of the context
        self._first = self._lock(fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not self._first:
            if alone:
                print("waits for other processes that train: times are taken alone", file=sys.stderr, flush=True)
            self._lock(fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        self._file.write(b".")
        self._size = self._size_now()
        if self._first and not alone:
            self._lock(fcntl.LOCK_SH)

    @property
    def nobody(self) -> bool:
        """Whether no other process has trained since this one began."""
        return self._first and self._size_now() == self._size

    def __enter__(self) -> "Beside":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def _lock(self, kind: int) -> bool:
        try:
            fcntl.flock(self._file, kind)
        except BlockingIOError:
            return False
        return True

    def _size_now(self) -> int:
        return os.fstat(self._file.fileno()).st_size
