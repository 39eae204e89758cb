"""Archives unpacked whole or not at all: zip and tar, plain or compressed with gzip or xz.

Everything an archive declares is checked before the first file is made, everything that comes out of it while it does.
The files come into ``FOLDER.unpacking``, renamed at the end, so a folder that is there is a whole one; what a kill
leaves is removed by the next call. One process at a time; who shares a folder locks it.
"""

import gzip
import lzma
import os
import shutil
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from cxrbench.base.errors import CxrbenchError
from cxrbench.cohorts.fetch import tarball
from cxrbench.cohorts.fetch.member import Hostile, Limits, Member, check_members

BLOCK_BYTES = 1 << 20
LIMITS = Limits()
ENCRYPTED = 0x1 | 0x40  # flag bits of a zip member
METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA}
DAMAGED = (  # what the libraries raise over broken bytes
    zipfile.BadZipFile,
    tarfile.TarError,
    gzip.BadGzipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    ValueError,
    LookupError,
    OverflowError,
    NotImplementedError,
    RecursionError,
)
Opener = Callable[[Member], IO[bytes] | None]


def unpack(
    archive: Path,
    folder: Path,
    advance: Callable[[int, str], None] = lambda count, name: None,
    limits: Limits = LIMITS,
) -> Path:
    """``folder``, holding every file of ``archive``; a folder that holds anything is taken for the result.

    Refuses, in one sentence and leaving nothing behind: a member with an absolute, parent, drive or backslash path, a
    link, device or sparse file, two members of one name, an encrypted member, a bomb (``limits``), damage.
    ``advance(1, name)`` is called after each file.
    """
    if folder.is_dir() and any(folder.iterdir()):
        return folder
    made = folder.with_name(f"{folder.name}.unpacking")
    try:
        shutil.rmtree(made, ignore_errors=True)
        with _opened(archive, limits) as (members, opener):
            check_members(members, limits.most_bytes(archive.stat().st_size), limits)
            made.mkdir(parents=True)
            _check_room(made, members)
            for member in members:
                _write(member, opener, made)
                if not member.is_folder:
                    advance(1, member.name)
        os.replace(made, folder)
    except Hostile as error:
        raise CxrbenchError(f"{archive} is not unpacked: {error}; {_advice(archive)}") from None
    except DAMAGED as error:
        what = f"it is damaged or cut short ({type(error).__name__}: {ascii(str(error))[1:-1][:200]})"
        raise CxrbenchError(f"{archive} is not unpacked: {what}; {_advice(archive)}") from None
    except OSError as error:
        reason = f"{error.strerror or error}{f' ({error.filename})' if error.filename else ''}"
        raise CxrbenchError(f"{archive} cannot be unpacked to {folder}: {reason}; mend that and run again") from None
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return folder


def _advice(archive: Path) -> str:
    return f"remove {archive.name} and fetch it again, or unpack it by hand if you trust it"


@contextmanager
def _opened(archive: Path, limits: Limits) -> Iterator[tuple[Sequence[Member], Opener]]:
    """The members of an archive of either kind and what opens one; its first bytes decide, not its name."""
    with archive.open("rb") as file:
        head = file.read(512)
    if head[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        with zipfile.ZipFile(archive) as packed:
            yield [_zip_member(info) for info in packed.infolist()], lambda member: packed.open(member.handle)
    elif head[:2] in tarball.OPENERS or head[257:262] == b"ustar":
        with tarball.opened(archive, limits) as tar:
            members = tarball.declared(tar, limits)
            yield members, lambda member: tar.extractfile(member.handle)
    else:
        raise Hostile(f"it is neither zip nor tar (it begins with {head[:8].hex(' ') or 'nothing'})")


def _zip_member(info: zipfile.ZipInfo) -> Member:
    name = repr(info.filename[:200])
    if "\0" in info.orig_filename:
        raise Hostile(f"member {name} has a control character in its name")
    if info.flag_bits & ENCRYPTED:
        raise Hostile(f"member {name} is encrypted")
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind == stat.S_IFLNK:
        raise Hostile(f"member {name} is a link")
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise Hostile(f"member {name} is a device or another special file")
    if info.compress_type not in METHODS:
        raise Hostile(f"member {name} is packed by method {info.compress_type}, which Python does not read")
    return Member(info.filename, info.file_size, info.filename.endswith("/"), info)


def _check_room(folder: Path, members: Sequence[Member]) -> None:
    needed_bytes, free_bytes = sum(member.size_bytes for member in members), shutil.disk_usage(folder).free
    if needed_bytes > free_bytes:
        raise CxrbenchError(
            f"{folder.parent} has {free_bytes:,} bytes free, but {needed_bytes:,} are to be unpacked; free some space"
        )


def _write(member: Member, opener: Opener, folder: Path) -> None:
    path = folder.joinpath(*member.parts())
    if member.is_folder:
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    written_bytes = 0
    source = opener(member)
    assert source is not None  # a tar has no content for what is no file, and such were refused
    with source, path.open("xb") as sink:
        while block := source.read(BLOCK_BYTES):
            written_bytes += len(block)
            if written_bytes > member.size_bytes:
                break  # its header lies
            sink.write(block)
    if written_bytes != member.size_bytes:
        raise Hostile(f"member {member.name[:200]!r} does not hold the {member.size_bytes:,} bytes it declares")
