"""Zip archives unpacked whole or not at all.

Everything that an archive declares is checked before the first file is made, everything that comes out of it while it
does. The files come into ``FOLDER.unpacking``, renamed at the end, so a folder that is there is a whole one; what a
kill leaves is removed by the next call. One process at a time; who shares a folder locks it.
"""

import dataclasses
import lzma
import os
import shutil
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

from cxrbench.base.errors import CxrbenchError

BLOCK_BYTES = 1 << 20
ENCRYPTED = 0x1 | 0x40  # flag bits of a member
METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA}
DAMAGED = (  # what the libraries raise over broken bytes
    zipfile.BadZipFile,
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


class UnsafeArchive(Exception):
    """What is wrong with an archive: a clause that names the member."""


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """Above which an archive is taken for a bomb; images do not compress, tables do about tenfold."""

    members: int = 1_000_000
    total_bytes: int = 1 << 41  # 2 TiB; MIMIC-CXR-JPG has 0.6
    ratio: int = 200
    small_bytes: int = 1 << 27  # up to here any ratio will do: 128 MiB

    def most_bytes(self, archive_bytes: int) -> int:
        """What an archive of that size may hold at most."""
        return min(self.total_bytes, max(self.small_bytes, self.ratio * archive_bytes))


LIMITS = Limits()


def unpack(
    archive: Path,
    folder: Path,
    advance: Callable[[int, str], None] = lambda count, name: None,
    limits: Limits = LIMITS,
) -> Path:
    """``folder``, holding every file of ``archive``; a folder that holds anything is taken for the result.

    Refuses, in one sentence and leaving nothing behind: a member with an absolute, parent, drive or backslash path, a
    link or device, two members of one name, an encrypted member, a bomb (``limits``), damage.
    ``advance(1, name)`` is called after each file.
    """
    if folder.is_dir() and any(folder.iterdir()):
        return folder
    made = folder.with_name(f"{folder.name}.unpacking")
    try:
        shutil.rmtree(made, ignore_errors=True)
        _check_kind(archive)
        with zipfile.ZipFile(archive) as packed:
            members = packed.infolist()
            _check_members(members, limits.most_bytes(archive.stat().st_size), limits)
            made.mkdir(parents=True)
            _check_room(made, members)
            for member in members:
                _write(packed, member, made)
                if not member.is_dir():
                    advance(1, member.filename)
        os.replace(made, folder)
    except UnsafeArchive as error:
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


def _check_kind(archive: Path) -> None:
    with archive.open("rb") as file:
        head = file.read(4)
    if head not in (b"PK\x03\x04", b"PK\x05\x06"):
        raise UnsafeArchive(f"it is no zip archive (it begins with {head.hex(' ') or 'nothing'})")


def _check_members(members: Sequence[zipfile.ZipInfo], most_bytes: int, limits: Limits) -> None:
    """Refuses the whole for one wrong member, for two of one name (also by case alone) and for what a bomb declares."""
    if len(members) > limits.members:
        raise UnsafeArchive(f"it has more than {limits.members:,} members, as a bomb does")
    files: dict[tuple[str, ...], str] = {}
    for member in members:
        _check_member(member)
        _check_name(member)
        if member.is_dir():
            continue
        key = _key(member)
        if key in files:
            raise UnsafeArchive(f"members {files[key][:200]!r} and {member.filename[:200]!r} have one name")
        files[key] = member.filename
    for member in members:
        key = _key(member)
        for depth in range(1, len(key) + member.is_dir()):
            if key[:depth] in files:
                raise UnsafeArchive(f"member {files[key[:depth]][:200]!r} is a file and a folder")
    total_bytes = sum(member.file_size for member in members)
    if total_bytes > most_bytes:
        raise UnsafeArchive(f"it would unpack to {total_bytes:,} bytes, above {most_bytes:,}, as a bomb does")


def _check_member(member: zipfile.ZipInfo) -> None:
    """Refuses what is neither a file nor a folder that Python can read."""
    name = repr(member.filename[:200])
    if "\0" in member.orig_filename:
        raise UnsafeArchive(f"member {name} has a control character in its name")
    if member.flag_bits & ENCRYPTED:
        raise UnsafeArchive(f"member {name} is encrypted")
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind == stat.S_IFLNK:
        raise UnsafeArchive(f"member {name} is a link")
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise UnsafeArchive(f"member {name} is a device or another special file")
    if member.compress_type not in METHODS:
        raise UnsafeArchive(f"member {name} is packed by method {member.compress_type}, which Python does not read")


def _check_name(member: zipfile.ZipInfo) -> None:
    """Refuses a name that leads, here or on another system, anywhere but below the folder it is unpacked to."""
    name, shown = member.filename, repr(member.filename[:200])
    if name.startswith("/"):
        raise UnsafeArchive(f"member {shown} has an absolute path")
    if "\\" in name:
        raise UnsafeArchive(f"member {shown} has a backslash in its path")
    if name[1:2] == ":":
        raise UnsafeArchive(f"member {shown} names a drive")
    if ".." in name.split("/"):
        raise UnsafeArchive(f"member {shown} leads to a parent folder")
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in name):
        raise UnsafeArchive(f"member {shown} has a control character or undecodable byte in its name")
    if not _parts(member) and not member.is_dir():
        raise UnsafeArchive(f"member {shown} is a file without a name")


def _parts(member: zipfile.ZipInfo) -> tuple[str, ...]:
    """The path below the folder that is unpacked to; '.' and empty parts mean nothing."""
    return tuple(part for part in member.filename.split("/") if part not in ("", "."))


def _key(member: zipfile.ZipInfo) -> tuple[str, ...]:
    """Two members of one key are one file on some file system."""
    return tuple(unicodedata.normalize("NFC", part).casefold() for part in _parts(member))


def _check_room(folder: Path, members: Sequence[zipfile.ZipInfo]) -> None:
    needed_bytes, free_bytes = sum(member.file_size for member in members), shutil.disk_usage(folder).free
    if needed_bytes > free_bytes:
        raise CxrbenchError(
            f"{folder.parent} has {free_bytes:,} bytes free, but {needed_bytes:,} are to be unpacked; free some space"
        )


def _write(packed: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path) -> None:
    path = folder.joinpath(*_parts(member))
    if member.is_dir():
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    written_bytes = 0
    with packed.open(member) as source, path.open("xb") as sink:
        while block := source.read(BLOCK_BYTES):
            written_bytes += len(block)
            if written_bytes > member.file_size:
                break  # its header lies
            sink.write(block)
    if written_bytes != member.file_size:
        raise UnsafeArchive(
            f"member {member.filename[:200]!r} does not hold the {member.file_size:,} bytes it declares"
        )
