"""Which files of a folder are data: one rule for every reader of cohorts and for ``cxrbench views``.

Notebooks, network drives, archives and file browsers leave their own files and folders among data. Such a file often
is an image (a thumbnail, an old copy), so that its content does not tell it apart; its name does.
"""

import os
from pathlib import Path

from cxrbench.base.errors import CxrbenchError

LEFT_BY_TOOLS = {  # lower case; names that begin with a dot need no entry
    "__macosx",  # archives made on a Mac
    "@eadir",  # Synology: thumbnails
    "#recycle",  # Synology
    "#snapshot",  # Synology
    "@recycle",  # QNAP
    "~snapshot",  # NetApp
    "$recycle.bin",  # Windows, with the next five
    "recycler",
    "system volume information",
    "thumbs.db",
    "ehthumbs.db",
    "desktop.ini",
    "lost+found",  # ext4
    "__pycache__",  # Python
    "icon\r",  # macOS: a folder's own icon
}
HIDDEN = (".", "~$")  # Unix; Microsoft Office's lock files


def is_left_by_tool(name: str) -> bool:
    """Whether a file or folder of this name belongs to a tool and is no data: hidden, or a name that tools use."""
    return name.startswith(HIDDEN) or name.lower() in LEFT_BY_TOOLS


def list_files(folder: str | Path) -> tuple[list[str], int]:
    """The paths of all files below ``folder``, sorted, and how many files of tools were skipped.

    The rule holds for names below ``folder``, not for its own name. Links to files and folders are followed, a link
    back to a folder above it is not; a broken link counts as a file. CxrbenchError where ``folder`` or one below it
    cannot be listed.
    """
    files: list[str] = []
    skipped = 0
    todo: list[tuple[str, frozenset[tuple[int, int]]]] = [(str(folder), frozenset())]
    while todo:
        here, above = todo.pop()
        try:
            state = os.stat(here)
            key = (state.st_dev, state.st_ino)
            if key in above:
                continue  # a link to a folder that it lies in
            with os.scandir(here) as entries:
                for entry in entries:
                    if is_left_by_tool(entry.name):
                        skipped += _count_files(entry)
                    elif _is_folder(entry):
                        todo.append((entry.path, above | {key}))
                    else:
                        files.append(entry.path)
        except OSError as error:
            raise CxrbenchError(
                f"folder {here} cannot be listed: {error.strerror}; give a folder that you can read"
            ) from None
    return sorted(files), skipped


def list_folders(folder: Path) -> list[Path]:
    """The folders directly in ``folder``, sorted, without those of tools."""
    return sorted(path for path in folder.iterdir() if path.is_dir() and not is_left_by_tool(path.name))


def _count_files(entry: "os.DirEntry[str]") -> int:
    """1 for a file; for a folder its files. No link is followed, and what cannot be listed has none."""
    if not entry.is_dir(follow_symlinks=False):
        return 1
    return sum(len(files) for _, _, files in os.walk(entry.path))


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False
