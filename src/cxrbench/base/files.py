"""Writing a file whole or not at all, and its checksum."""

import hashlib
import os
from pathlib import Path


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


def sha256_of(path: str | Path) -> str:
    """The SHA-256 of a file's bytes, 64 hex digits; read in pieces."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
