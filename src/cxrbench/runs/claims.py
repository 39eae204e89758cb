"""Locks that end with their process: the kernel takes them back, so a dead process leaves no claim behind.

A lock file says who holds it. Its holder removes it while it still holds it; a process that had opened the removed
file sees that it has no name any more and opens the new one. Only Python's own library is used: runs are also trained
on machines that have little more than Keras.
"""

import contextlib
import fcntl
import json
import os
import platform
import time
from pathlib import Path
from typing import IO, Any


class Claim:
    """A lock that this process holds; as a context, until its end."""

    def __init__(self, path: Path, file: IO[str]) -> None:
        self._path, self._file = path, file

    @property
    def held(self) -> bool:
        return not self._file.closed

    def release(self) -> None:
        """Gives the lock back; twice does no harm."""
        if self.held:
            self._path.unlink(missing_ok=True)
            self._file.close()

    def __enter__(self) -> "Claim":
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def take(path: Path, wait: bool = False, **says: Any) -> Claim | None:
    """The lock ``path``, or None where a process holds it, also this one; with ``wait`` as soon as nobody does.

    ``says`` is what ``holder`` shows of it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        file = open(path, "a", encoding="utf-8")  # noqa: SIM115 - closed when the lock is released
        try:
            fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
        if os.fstat(file.fileno()).st_nlink:
            break
        file.close()  # its holder has just removed it
    note = {"pid": os.getpid(), "host": platform.node(), "since": time.time(), **says}
    file.truncate(0)  # of a dead holder
    file.write(json.dumps(note))
    file.flush()
    return Claim(path, file)


def holder(path: Path) -> dict[str, Any] | None:
    """What the holder of the lock says: pid, host, since (seconds since 1970) and more; None where nobody holds it.

    It removes the lock file of a dead process.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        return None
    if claim := take(path):
        claim.release()
        return None
    note: dict[str, Any] = {}
    with contextlib.suppress(ValueError):  # its holder is just writing it
        note = json.loads(text)
    return note
