"""The part of a file that has come so far: ``NAME.part``, beside it ``NAME.part.version``, which outlive a kill.

The version is what the server called the file when its first byte came (ETag, else Last-Modified). Without one, and
without a checksum to try the result against, nothing tells old bytes from new ones, so such a part is started anew.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

Advance = Callable[[int, str], None]


class Part:
    """The bytes of ``target`` so far; ``advance`` hears of each change of their number, also downwards."""

    def __init__(self, target: Path, advance: Advance) -> None:
        self.target = target
        self.path = target.with_name(f"{target.name}.part")
        self._note = target.with_name(f"{target.name}.part.version")
        self._advance = advance
        self.size_bytes = 0
        self.joined = False  # made of more than one answer
        if self.path.is_file():
            self._grow(self.path.stat().st_size)

    def version(self) -> str | None:
        """What ``If-Range`` may say of these bytes."""
        try:
            text = self._note.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError):
            return None
        return text if text and text.isprintable() else None

    def begin(self, version: str | None) -> None:
        """Forgets what is there; the note is written before the first byte it speaks of."""
        self.drop()
        self.target.parent.mkdir(parents=True, exist_ok=True)
        self.path.touch()
        if version:
            self._note.write_text(version, encoding="ascii")

    def append(self, piece: bytes) -> None:
        with self.path.open("ab", buffering=0) as file:
            rest = memoryview(piece)
            while rest:
                written = file.write(rest)
                self._grow(written)
                rest = rest[written:]

    def drop(self) -> None:
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)
        self._grow(-self.size_bytes)
        self.joined = False

    def finish(self) -> None:
        """Becomes the target; on the disk before it has the name that says so."""
        with self.path.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(self.path, self.target)
        self._note.unlink(missing_ok=True)

    def _grow(self, count: int) -> None:
        self.size_bytes += count
        if count:
            self._advance(count, self.target.name)


def checksum(path: Path, kind: str) -> str:
    """The ``sha256`` or ``md5`` of a file, as lower-case hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.new(kind, usedforsecurity=False)).hexdigest()
