"""Writing a file whole or not at all, and the names of folders that tools leave among data."""

import os
from pathlib import Path

MAC_FOLDER = "__MACOSX"  # what an archive made on a Mac carries beside its content


def write_text(path: str | Path, text: str) -> None:
    """Writes a UTF-8 text file under a temporary name and renames it when whole; makes its folder."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.tmp-{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
