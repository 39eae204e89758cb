"""The run store: a run is looked up by fingerprint before it is trained.

An entry is a folder, written under a temporary name and renamed when whole, with the checksum of each of its
files; an entry that is damaged, or whose tables have other columns than today's, is dropped and trained again. The
store is a cache outside DVC's outputs, shared by every experiment of a workspace.
"""

import json
import os
import shutil
import sys
import uuid
from pathlib import Path
from typing import Any

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.files import sha256_of, write_text
from cxrbench.base.tables import read_table

CHECKSUMS = "checksums.json"
RECORD = "run.json"
MODEL = "model.keras"
RUN_TABLES = ("history", "scores")


class RunStore:
    """Trained runs below ``folder``, one sub-folder a fingerprint."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, run: str) -> Path:
        return self.folder / run

    def has(self, run: str) -> bool:
        """Whether ``run`` is there, whole and readable; an entry that is not is removed with a sentence."""
        entry = self.path(run)
        if not entry.is_dir():
            return False
        wrong = _fault(entry)
        if wrong:
            print(f"run {run} in {self.folder} {wrong}; it is trained again", file=sys.stderr)
            shutil.rmtree(entry, ignore_errors=True)
        return not wrong

    def checkpoint(self, run: str) -> Path:
        """The file that training of ``run`` writes after epochs, and goes on from."""
        return self.folder / f".{run}.checkpoint.npz"

    def begin(self, run: str) -> Path:
        """A fresh temporary folder to write ``run`` into."""
        folder = self.folder / f".{run}-{uuid.uuid4().hex[:8]}"
        folder.mkdir(parents=True)
        return folder

    def commit(self, run: str, written: Path) -> None:
        """Makes the folder ``written`` the entry of ``run``; where another process was first, that one stays."""
        _write_checksums(written)
        try:
            os.rename(written, self.path(run))
        except OSError:
            if not self.has(run):
                raise
            shutil.rmtree(written)

    def amend_record(self, run: str, changes: dict[str, Any]) -> None:
        """Puts ``changes`` into the record of ``run``; all else stays, also the record's own time."""
        written, old = self.begin(run), self.folder / f".{run}-{uuid.uuid4().hex[:8]}"
        try:
            shutil.copytree(self.path(run), written, dirs_exist_ok=True)
            trained = (written / RECORD).stat()
            write_text(written / RECORD, json.dumps({**read_record(written), **changes}, indent=1))
            os.utime(written / RECORD, ns=(trained.st_atime_ns, trained.st_mtime_ns))
            _write_checksums(written)
            os.rename(self.path(run), old)
            os.rename(written, self.path(run))
        finally:
            for folder in (written, old):
                shutil.rmtree(folder, ignore_errors=True)

    def timed_alone(self, run: str, machine: str) -> bool:
        """Whether ``run`` was timed on this machine with no other run beside it."""
        timing = read_record(self.path(run)).get("timing", {})
        return bool(timing.get("alone")) and timing.get("machine") == machine

    def copy_out(self, run: str, target: Path) -> None:
        """Copies what later stages read to the new folder ``target``: all but the model, which stays here alone."""
        shutil.copytree(self.path(run), target, ignore=shutil.ignore_patterns(CHECKSUMS, MODEL))


def read_record(entry: Path) -> dict[str, Any]:
    """The record of the run in folder ``entry``."""
    record: dict[str, Any] = json.loads((entry / RECORD).read_text(encoding="utf-8"))
    return record


def _fault(entry: Path) -> str:
    """What is wrong with an entry, as the end of a sentence; empty where nothing is."""
    try:
        sums = json.loads((entry / CHECKSUMS).read_text(encoding="utf-8"))
        if not sums or any(sha256_of(entry / name) != digest for name, digest in sums.items()):
            return "is damaged"
    except (OSError, ValueError, AttributeError):
        return "is damaged"
    try:
        for table in RUN_TABLES:
            read_table(entry / f"{table}.csv", table)
    except CxrbenchError:
        return f"has a {table} table that this version of cxrbench can't read"
    return ""


def _write_checksums(entry: Path) -> None:
    sums = {path.name: sha256_of(path) for path in sorted(entry.iterdir()) if path.name != CHECKSUMS}
    write_text(entry / CHECKSUMS, json.dumps(sums, indent=1))
