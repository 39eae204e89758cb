"""One entry of an archive, and which entries no honest archive of images has."""

import dataclasses
import unicodedata
from collections.abc import Sequence
from typing import Any


class Hostile(Exception):
    """What is wrong with an archive: a clause that names the member."""


@dataclasses.dataclass(frozen=True, slots=True)
class Member:
    """A file or folder as the archive declares it."""

    name: str  # as it is written there
    size_bytes: int
    is_folder: bool
    handle: Any  # what its library opens it by

    def parts(self) -> tuple[str, ...]:
        """The path below the folder that is unpacked to; '.' and empty parts mean nothing."""
        return tuple(part for part in self.name.split("/") if part not in ("", "."))


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


def check_name(member: Member) -> None:
    """Refuses a name that leads, here or on another system, anywhere but below the folder it is unpacked to."""
    name, shown = member.name, repr(member.name[:200])
    if name.startswith("/"):
        raise Hostile(f"member {shown} has an absolute path")
    if "\\" in name:
        raise Hostile(f"member {shown} has a backslash in its path")
    if name[1:2] == ":":
        raise Hostile(f"member {shown} names a drive")
    if ".." in name.split("/"):
        raise Hostile(f"member {shown} leads to a parent folder")
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in name):
        raise Hostile(f"member {shown} has a control character or undecodable byte in its name")
    if not member.parts() and not member.is_folder:
        raise Hostile(f"member {shown} is a file without a name")


def check_members(members: Sequence[Member], most_bytes: int, limits: Limits) -> None:
    """Refuses the whole for one wrong name, for two of one name (also by case alone) and for what a bomb declares."""
    if len(members) > limits.members:
        raise Hostile(f"it has more than {limits.members:,} members, as a bomb does")
    files: dict[tuple[str, ...], str] = {}
    for member in members:
        check_name(member)
        if member.is_folder:
            continue
        key = _key(member)
        if key in files:
            raise Hostile(f"members {files[key][:200]!r} and {member.name[:200]!r} have one name")
        files[key] = member.name
    for member in members:
        key = _key(member)
        for depth in range(1, len(key) + member.is_folder):
            if key[:depth] in files:
                raise Hostile(f"member {files[key[:depth]][:200]!r} is a file and a folder")
    total_bytes = sum(member.size_bytes for member in members)
    if total_bytes > most_bytes:
        raise Hostile(f"it would unpack to {total_bytes:,} bytes, above {most_bytes:,}, as a bomb does")


def _key(member: Member) -> tuple[str, ...]:
    return tuple(unicodedata.normalize("NFC", part).casefold() for part in member.parts())
