"""Why a file is refused: the refusal itself, and the sizes that are refused before a pixel is decoded."""

from typing import Any

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.workspace import is_phantom

MIN_SIDE_PX = 16
MAX_SIDE_PX = 65_535  # the longest side that JPEG and DICOM can state
MAX_PIXELS = 178_956_970  # where Pillow, too, warns of a file that unpacks to gigabytes
MAX_FILE_BYTES = 512 * 2**20


class Undecodable(CxrbenchError):
    """A file that cannot be used; ``reason`` is one of a few words, ``detail`` says more.

    Reasons: missing, empty, not an image, truncated, too small, too large, unsupported, bad header (of DICOM), one
    grey; and where a process of its own decodes the file (parallel.py), decoder crashed, takes too long.
    """

    def __init__(self, path: str, reason: str, detail: str) -> None:
        advice = "make phantoms again with 'dvc repro -f download'"
        if not is_phantom(path):
            advice = "replace the file and run 'dvc repro'"
        super().__init__(f"{path} cannot be used: {reason} ({detail}); {advice}")
        self.path, self.reason, self.detail = path, reason, detail

    def __reduce__(self) -> tuple[Any, ...]:
        return Undecodable, (self.path, self.reason, self.detail)  # so that it passes between processes


def check_size(path: str, width: int, height: int) -> None:
    """Raises Undecodable where an image of this many pixels is not worth, or not safe, decoding."""
    if min(width, height) < MIN_SIDE_PX:
        raise Undecodable(path, "too small", f"{width} x {height} pixels; at least {MIN_SIDE_PX} a side")
    if max(width, height) > MAX_SIDE_PX or width * height > MAX_PIXELS:
        raise Undecodable(
            path, "too large", f"{width} x {height} pixels; at most {MAX_SIDE_PX} a side, {MAX_PIXELS} in all"
        )


def cause(error: BaseException) -> str:
    """': ' and what a decoder says of damaged bytes, in one line; '' where the words are Python's and not its own.

    Addresses of memory, which differ from run to run, are left out.
    """
    words = [word for word in str(error).split() if "0x" not in word]
    own = isinstance(error, (OSError, RuntimeError, SyntaxError))  # Pillow raises SyntaxError for a broken PNG
    return f": {' '.join(words)}" if own and words else ""
