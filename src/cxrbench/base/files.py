"""Writing a file or a folder whole or not at all, and its checksum."""

import contextlib
import glob
import hashlib
import os
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path

from cxrbench.base.errors import CxrbenchError, disk_full, what_to_do


@contextlib.contextmanager
def replaced_when_whole(path: str | Path) -> Iterator[Path]:
    """Gives a temporary name beside ``path``; what the block wrote there takes its place at once, if it ends well.

    What killed processes of this machine left of it is removed first; a folder may be shared with other machines.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.tmp-{platform.node()}-{os.getpid()}")
    _remove_leftovers(path)
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        if error.filename == str(temporary) or (error.filename is None and disk_full(error)):
            error.filename = str(path)  # the name that the user knows; a write that fails names none
        raise
    finally:
        with contextlib.suppress(OSError):  # it has its own name by now, or the disk lets nobody write
            temporary.unlink()


def _remove_leftovers(path: Path) -> None:
    for left in path.parent.glob(f"{glob.escape(path.name)}.tmp-{glob.escape(platform.node())}-*"):
        if not _is_alive(left.name.rpartition("-")[2]):
            with contextlib.suppress(OSError):  # another user's
                left.unlink()


def _is_alive(pid: str) -> bool:
    """Whether the process of that number runs; True also of another user's, and of what is no number."""
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except (ValueError, OverflowError, PermissionError):
        return True
    return True


@contextlib.contextmanager
def folder_when_whole(folder: Path) -> Iterator[Path]:
    """Gives an empty folder beside ``folder``, which is new or empty; it takes its place if the block ends well.

    What a killed process left of one is removed first.
    """
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    try:
        yield unfinished
        os.replace(unfinished, folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def copied(source: str, target: str) -> None:
    """For ``shutil.copytree``: ends it at the first file that fails, in a sentence where the user can mend it.

    By itself it goes on and then raises an error of its own, which no longer says that the disk is full.
    """
    try:
        shutil.copy2(source, target)
    except OSError as error:
        raise CxrbenchError(what_to_do(error) or str(error)) from error


def write_text(path: str | Path, text: str) -> None:
    """Writes a UTF-8 text file whole or not at all; makes its folder."""
    with replaced_when_whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def sha256_of(path: str | Path) -> str:
    """The SHA-256 of a file's bytes, 64 hex digits; read in pieces."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
