"""What a tar file declares; its headers can lie, so every byte that comes out of it is counted."""

import gzip
import io
import lzma
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from cxrbench.cohorts.fetch.member import Hostile, Limits, Member

HEADER_BYTES = 1 << 22  # tarfile reads a name record in one piece, into memory; none is longer than this
OPENERS: dict[bytes, Callable[..., Any]] = {b"\x1f\x8b": gzip.open, b"\xfd7": lzma.open}


@contextmanager
def opened(path: Path, limits: Limits) -> Iterator[tarfile.TarFile]:
    """The tar file, plain or compressed with gzip or xz; raises Hostile once more comes out than ``limits`` allow."""
    with path.open("rb") as file:
        magic = file.read(2)
    most_bytes = limits.most_bytes(path.stat().st_size)
    with OPENERS.get(magic, open)(path, "rb") as raw, tarfile.open(fileobj=_Counted(raw, most_bytes), mode="r:") as tar:
        yield tar


def declared(tar: tarfile.TarFile, limits: Limits) -> list[Member]:
    """All members; the stream is read to its end, so that one cut short or damaged is known before anything is made."""
    found: list[Member] = []
    for info in tar:
        if len(found) > limits.members:
            raise Hostile(f"it has more than {limits.members:,} members, as a bomb does")
        name = repr(info.name[:200])
        if info.issym() or info.islnk():
            raise Hostile(f"member {name} is a link")
        if info.issparse():
            raise Hostile(f"member {name} is a sparse file, which is larger than its content")
        if not (info.isreg() or info.isdir()):
            raise Hostile(f"member {name} is a device or another special file")
        found.append(Member(info.name, info.size if info.isreg() else 0, info.isdir(), info))
    stream = tar.fileobj
    assert stream is not None
    stream.seek(tar.offset)  # tarfile takes a damaged header for the end: the end is a block of zeros
    if stream.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        raise Hostile(f"it is damaged or cut short after {len(found):,} members")
    while stream.read(HEADER_BYTES):  # to the checksum at the end of the compressed stream
        pass
    return found


class _Counted(io.RawIOBase):
    """A stream that refuses to be read beyond ``most_bytes`` or in one piece larger than any header."""

    def __init__(self, raw: IO[bytes], most_bytes: int) -> None:
        self._raw, self._most_bytes = raw, most_bytes

    def read(self, size: int = -1) -> Any:
        if not 0 <= size <= HEADER_BYTES:
            raise Hostile(f"it has a header of {size:,} bytes")
        self._check(self._raw.tell() + size)
        return self._raw.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._check(offset)
        return self._raw.seek(offset, whence)

    def tell(self) -> int:
        return self._raw.tell()

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def _check(self, place: int) -> None:
        if place > self._most_bytes + HEADER_BYTES:
            raise Hostile(f"more than {self._most_bytes:,} bytes come out of it, as from a bomb")
