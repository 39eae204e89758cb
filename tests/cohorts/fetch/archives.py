"""Zip archives made in the test, honest and hostile."""

import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cxrbench.base.errors import CxrbenchError
from cxrbench.cohorts.fetch.archive import unpack


def pack(path: Path, files: Mapping[str, bytes] | list[tuple[str, bytes]]) -> Path:
    """An archive of these names exactly as they are, whatever they mean; a name that ends in '/' is a folder."""
    entries = list(files.items()) if isinstance(files, Mapping) else files
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, body in entries:
            info = zipfile.ZipInfo("x")
            info.filename, info.compress_type = name, zipfile.ZIP_DEFLATED  # past the clean-up of the constructor
            info.external_attr = (stat.S_IFREG | 0o4777) << 16
            packed.writestr(info, body)
    return path


def special_zip(path: Path, mode: int) -> Path:
    """A zip whose one member has Unix file type ``mode``, as ``zip --symlinks`` makes."""
    with zipfile.ZipFile(path, "w") as packed:
        info = zipfile.ZipInfo("odd")
        info.create_system, info.external_attr = 3, (mode | 0o777) << 16
        packed.writestr(info, "../../etc/passwd")
    return path


def forge_sizes(path: Path, true_bytes: int, declared_bytes: int) -> Path:
    """Every size field of a zip that holds ``true_bytes`` says ``declared_bytes`` instead."""
    data = path.read_bytes()
    old, new = true_bytes.to_bytes(4, "little"), declared_bytes.to_bytes(4, "little")
    assert data.count(old) >= 2, "local header and central directory"
    path.write_bytes(data.replace(old, new))
    return path


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refusal(archive: Path, **more: Any) -> str:
    """The sentence; nothing is left beside the archive."""
    before = sorted(path.name for path in archive.parent.iterdir())
    with pytest.raises(CxrbenchError) as caught:
        unpack(archive, archive.parent / "out", **more)
    assert sorted(path.name for path in archive.parent.iterdir()) == before
    said = str(caught.value)
    assert said.isprintable(), "one line that a terminal can show"
    assert str(archive) in said
    return said
