"""The run store: a run is looked up by fingerprint before it is trained.

An entry is a folder, written under a temporary name and renamed when whole, with the checksum of each of its
files; an entry that is damaged, or whose tables have other columns than today's, is dropped and trained again. The
store is a cache outside DVC's outputs, shared by every experiment of a workspace and by all processes that train.

Beside the entries lie, each with a dot first:

- ``.RUN.lock``: the claim. Its process trains the run or removes it; nobody else writes anything of that run.
- ``.RUN-xxxxxxxx``: a folder that a worker writes the run into.
- ``.RUN.checkpoint.npz``: how far training came; the next training of the run goes on from it.
- ``.RUN.failure.json``: why the run failed. A later success removes it.
- ``.grids/``: a list for each process of the runs that it uses, which no other process may remove meanwhile.

What a killed process leaves of these is removed by ``tidy``, but for the checkpoint and the failure of a run that is
not in the store. The time of an entry's folder is that of its last use.
"""

import contextlib
import dataclasses
import datetime
import filecmp
import json
import os
import re
import shutil
import sys
import uuid
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.files import copied, sha256_of, write_text
from cxrbench.base.tables import read_table
from cxrbench.runs.beside import Beside
from cxrbench.runs.claims import Claim, holder, take

CHECKSUMS = "checksums.json"
RECORD = "run.json"
MODEL = "model.keras"
RUN_TABLES = ("history", "scores")
FILES = (RECORD, MODEL, *(f"{table}.csv" for table in RUN_TABLES))
_BESIDE = re.compile(r"\.(?P<run>[^.].*?)(?P<what>-[0-9a-f]{8}|\.lock|\.checkpoint.*|\.failure\.json)")


@dataclasses.dataclass(frozen=True)
class Failure:
    """Why a run is not in the store although it was tried."""

    run: str
    reason: str  # one line
    traceback: str  # empty where its process was killed
    when: str  # of the last try, ISO 8601 with the time zone
    times: int  # tries that failed


class RunStore:
    """Trained runs below ``folder``, one sub-folder a fingerprint."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._claims: dict[str, Claim] = {}
        self._uses: list[Claim] = []

    def path(self, run: str) -> Path:
        return self.folder / run

    def checkpoint(self, run: str) -> Path:
        """The file that training of ``run`` goes on from; the worker writes it, under another name first."""
        return self.folder / f".{run}.checkpoint.npz"

    def has(self, run: str) -> bool:
        """Whether ``run`` is there, whole and readable.

        An entry that is not is removed with a sentence, unless another process is at work on it.
        """
        entry = self.path(run)
        if not entry.is_dir():
            return False
        if not _fault(entry):
            return True
        claim = self._claims.get(run)
        if claim and claim.held:
            return self._whole_or_dropped(run)
        if claim := self.claim(run):
            with claim:
                return self._whole_or_dropped(run)
        return False

    def claim(self, run: str) -> Claim | None:
        """The right to write and to remove ``run``; None where another process, or a caller before, holds it.

        It ends with ``release``, with its context or with the process.
        """
        claim = take(self._lock(run))
        if claim:
            self._claims[run] = claim
        return claim

    def claimed_by(self, run: str) -> dict[str, Any] | None:
        """Who holds the claim of ``run``: pid, host, since (seconds since 1970); None where nobody does."""
        return holder(self._lock(run))

    def begin(self, run: str) -> Path:
        """A fresh temporary folder to write ``run`` into; its caller holds the claim, or ``tidy`` may remove it."""
        folder = self._aside(run)
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
        self._remove_beside(run)

    def amend_record(self, run: str, changes: dict[str, Any]) -> None:
        """Puts ``changes`` into the record of ``run``; all else stays, also the record's own time.

        Between the two writes the entry's checksums hold both records, so that it is whole at every moment.
        """
        entry = self.path(run)
        sums = json.loads((entry / CHECKSUMS).read_text(encoding="utf-8"))
        trained, before = (entry / RECORD).stat(), sha256_of(entry / RECORD)
        record = {**read_record(entry), **changes}
        fresh = self.begin(run)
        try:
            write_text(fresh / RECORD, json.dumps(record, indent=1))
            os.utime(fresh / RECORD, ns=(trained.st_atime_ns, trained.st_mtime_ns))
            after = sha256_of(fresh / RECORD)
            write_text(entry / CHECKSUMS, json.dumps({**sums, RECORD: [before, after]}, indent=1))
            os.replace(fresh / RECORD, entry / RECORD)
            write_text(entry / CHECKSUMS, json.dumps({**sums, RECORD: after}, indent=1))
        finally:
            shutil.rmtree(fresh, ignore_errors=True)

    def timed_alone(self, run: str, machine: str) -> bool:
        """Whether ``run`` was timed on this machine with no other run beside it."""
        timing = read_record(self.path(run)).get("timing", {})
        return bool(timing.get("alone")) and timing.get("machine") == machine

    def copy_out(self, run: str, target: Path) -> None:
        """Copies what later stages read to the folder ``target``: all but the model, which stays here alone.

        One that is there stays where it holds the same and is replaced where not: a stage whose DVC was killed lives
        on, beside the stage of the next one.
        """
        left_out = shutil.ignore_patterns(CHECKSUMS, MODEL, "*.tmp-*")
        with self._gate():
            if target.exists() and not _holds_the_same(self.path(run), target, left_out):
                shutil.rmtree(target)
            if not target.exists():
                shutil.copytree(self.path(run), target, ignore=left_out, copy_function=copied)

    def failure(self, run: str) -> Failure | None:
        """The record of the last failure of ``run``, if there is one."""
        try:
            return Failure(**json.loads(self.failure_file(run).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def failure_file(self, run: str) -> Path:
        return self.folder / f".{run}.failure.json"

    def record_failure(self, run: str, reason: str, traceback: str) -> Failure:
        """Keeps why ``run`` failed now, until it succeeds."""
        before = self.failure(run)
        when = datetime.datetime.now().astimezone().isoformat(timespec="milliseconds")
        failure = Failure(run, reason, traceback, when, (before.times if before else 0) + 1)
        write_text(self.failure_file(run), json.dumps(dataclasses.asdict(failure), indent=1))
        return failure

    def beside(self, alone: bool) -> Beside:
        """Says to others that this process trains; ``alone`` waits until no other does and keeps them waiting."""
        return Beside(self.folder / ".grids" / "beside", alone)

    def use(self, names: Collection[str]) -> None:
        """Keeps runs and arrays of these names from being pruned until this process ends; their time is now."""
        grids = self.folder / ".grids"
        with self._gate():
            claim = take(grids / f"{os.getpid()}-{uuid.uuid4().hex[:8]}.lock", uses=sorted(names))
        if claim:
            self._uses.append(claim)
        for name in names:
            with contextlib.suppress(OSError):  # not trained yet
                os.utime(self.path(name))

    def used_now(self) -> set[str]:
        """The names that living processes use."""
        lists = [holder(path) for path in (self.folder / ".grids").glob("*-*.lock")]
        return {name for one in lists if one for name in one.get("uses", ())}

    def names(self) -> set[str]:
        """Every run of which something is here: an entry, a checkpoint or a failure."""
        entries = {path.parent.name for path in self.folder.glob(f"[!.]*/{RECORD}")}
        return entries | {run for run, what, _ in self._all_beside() if what.startswith((".checkpoint", ".failure"))}

    def parts(self, run: str) -> list[Path]:
        """What is here of ``run``: its entry, its checkpoint, its failure."""
        found = [self.path(run), *self.folder.glob(f".{run}.checkpoint*"), self.failure_file(run)]
        return [path for path in found if path.exists()]

    def discard(self, run: str) -> bool:
        """Removes ``run`` with all that belongs to it, unless a process is at work on it or uses it: then False."""
        with self._gate():
            claim = self.claim(run)
            if claim is None:
                return False
            if run in self.used_now():
                claim.release()
                return False
            self._remove_beside(run)
            aside = self._aside(run)
            with contextlib.suppress(FileNotFoundError):
                os.rename(self.path(run), aside)
        with claim:
            shutil.rmtree(aside, ignore_errors=True)
        return True

    def discard_file(self, path: Path) -> bool:
        """Removes a file that ``use`` knows by its name, with those of other endings; False where one uses it."""
        with self._gate():
            if path.name in self.used_now():
                return False
            for one in path.parent.glob(f"{path.stem}.*"):
                one.unlink(missing_ok=True)
        return True

    def tidy(self) -> None:
        """Removes what killed processes left, as far as no living one is at work on it."""
        for run in {run for run, _, _ in self._all_beside()}:
            if claim := self.claim(run):
                with claim:
                    for _, what, path in self._all_beside(run):
                        if what.startswith("-"):
                            shutil.rmtree(path, ignore_errors=True)
                    if self.path(run).is_dir():
                        self._remove_beside(run)
        self.used_now()  # which removes the lists of the dead

    def _lock(self, run: str) -> Path:
        return self.folder / f".{run}.lock"

    def _gate(self) -> Claim:
        """Held while a list of what is used is written, and while what no list names is taken away."""
        gate = take(self.folder / ".grids" / "gate.lock", wait=True)
        assert gate
        return gate

    def _aside(self, run: str) -> Path:
        return self.folder / f".{run}-{uuid.uuid4().hex[:8]}"

    def _remove_beside(self, run: str) -> None:
        """Removes checkpoint and failure of ``run``."""
        for path in self.parts(run):
            if path != self.path(run):
                path.unlink(missing_ok=True)

    def _all_beside(self, run: str | None = None) -> list[tuple[str, str, Path]]:
        """The run, the end of its name and the path of all that lies beside entries, of ``run`` or of every run."""
        paths = self.folder.glob(".*" if run is None else f".{run}[-.]*")
        matches = [(_BESIDE.fullmatch(path.name), path) for path in paths]
        found = [(match["run"], match["what"], path) for match, path in matches if match]
        return [one for one in found if run in (None, one[0])]

    def _whole_or_dropped(self, run: str) -> bool:
        """``has``, by who holds the claim."""
        entry = self.path(run)
        if not entry.is_dir():
            return False
        wrong = _fault(entry)
        if wrong:
            print(f"run {run} in {self.folder} {wrong}; it is trained again", file=sys.stderr)
            aside = self._aside(run)
            os.rename(entry, aside)
            shutil.rmtree(aside, ignore_errors=True)
        return not wrong


def _holds_the_same(entry: Path, copy: Path, left_out: Callable[[str, list[str]], set[str]]) -> bool:
    there = [path.name for path in entry.iterdir()]
    names = {*there} - left_out(str(entry), there)
    same = filecmp.cmpfiles(entry, copy, names, shallow=False)[0]
    return {*same} == names == {path.name for path in copy.iterdir()}


def read_record(entry: Path) -> dict[str, Any]:
    """The record of the run in folder ``entry``."""
    record: dict[str, Any] = json.loads((entry / RECORD).read_text(encoding="utf-8"))
    return record


def _fault(entry: Path) -> str:
    """What is wrong with an entry, as the end of a sentence; empty where nothing is."""
    try:
        sums = json.loads((entry / CHECKSUMS).read_text(encoding="utf-8"))
        if not sums or any(not _is_one_of(sha256_of(entry / name), known) for name, known in sums.items()):
            return "is damaged"
    except (OSError, ValueError, AttributeError):
        return "is damaged"
    try:
        for table in RUN_TABLES:
            read_table(entry / f"{table}.csv", table)
    except CxrbenchError:
        return f"has a {table} table that this version of cxrbench can't read"
    return ""


def _is_one_of(digest: str, known: str | list[str]) -> bool:
    return digest in ([known] if isinstance(known, str) else known)


def _write_checksums(entry: Path) -> None:
    sums = {path.name: sha256_of(path) for path in sorted(entry.iterdir()) if path.name != CHECKSUMS}
    write_text(entry / CHECKSUMS, json.dumps(sums, indent=1))
