"""A table that is written row by row, so that memory does not grow with it, and is there whole or not at all."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.files import replaced_when_whole


def csv_cell(text: str) -> str:
    """As RFC 4180 wants it; the csv module of Python 3.11 leaves a carriage return bare."""
    return '"' + text.replace('"', '""') + '"' if any(letter in text for letter in ',"\r\n') else text


@contextmanager
def written_whole(path: Path) -> Iterator[IO[str]]:
    """A text file that takes the name ``path`` when all of it is written; a name that is not UTF-8 is escaped."""
    if path.is_dir():
        raise CxrbenchError(f"{path} is a folder; give --out a file's name")
    with ExitStack() as whole:
        try:
            temporary = whole.enter_context(replaced_when_whole(path))
            file = temporary.open("w", encoding="utf-8", errors="backslashreplace", newline="")
        except OSError as error:
            raise CxrbenchError(f"{path} cannot be written: {error.strerror}; choose another --out") from None
        yield whole.enter_context(file)
