"""What no radiograph is: the sizes that are refused before a pixel is decoded, and the refusal itself."""

from typing import Any

from cxrbench.base.errors import CxrbenchError

MIN_SIDE_PX = 16
MAX_SIDE_PX = 65_535  # the longest side that JPEG and DICOM can state
MAX_PIXELS = 178_956_970  # where Pillow, too, warns of a file that unpacks to gigabytes
MAX_FILE_BYTES = 512 * 2**20


class Undecodable(CxrbenchError):
    """A file that cannot be used; ``reason`` is one of a few words, ``detail`` says more.

    Reasons: missing, empty, not an image, truncated, too small, too large, unsupported; and where a process of its
    own decodes the file (parallel.py), decoder crashed, takes too long.
    """

    def __init__(self, path: str, reason: str, detail: str) -> None:
        super().__init__(f"{path} cannot be used: {reason} ({detail}); replace the file and run 'dvc repro'")
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


def told(error: BaseException) -> str:
    """An error's text in one line without addresses of memory, which would differ from run to run."""
    words = [word for word in str(error).split() if "0x" not in word]
    return " ".join(words) or type(error).__name__
