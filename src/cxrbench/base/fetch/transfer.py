"""One file over one session: ask for what is missing, write what comes, try again while that helps, check the whole.

What has come so far is ``NAME.part``, beside it ``NAME.part.version``; both outlive a kill. The version is what the
server called the file when its first byte came (ETag, else Last-Modified). Without one, and without a checksum to try
the result against, nothing tells old bytes from new ones, so such a part is started anew.
"""

import dataclasses
import hashlib
import os
import threading
from collections.abc import Callable
from pathlib import Path

import requests
import urllib3

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.fetch import answer
from cxrbench.base.fetch.answer import FetchFailure, shown

Advance = Callable[[int, str], None]
BLOCK_BYTES = 1 << 18
LONGEST_BACK_OFF_SECONDS = 60.0


@dataclasses.dataclass(frozen=True, slots=True)
class Job:
    """One file: where from, where to, and what it must be (a checksum as hexadecimal digits)."""

    url: str
    target: Path
    size_bytes: int | None = None
    sha256: str | None = None
    md5: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Patience:
    """How long a fetch goes on without a new byte."""

    attempts: int = 8  # failures in a row; a byte further than ever before begins the count anew
    timeout_seconds: float = 60.0  # to connect, and between two pieces of a body
    wait: Callable[[float], object] | None = None  # takes seconds; None: really waits


class _Part:
    """The bytes of ``target`` so far; ``advance`` hears of each change of their number, also downwards."""

    def __init__(self, target: Path, advance: Advance) -> None:
        self.target = target
        self.path = target.with_name(f"{target.name}.part")
        self._note = target.with_name(f"{target.name}.part.version")
        self._advance = advance
        self.size_bytes = 0
        self.joined = False  # made of more than one answer
        if self.path.is_file():
            self._grow(self.path.stat().st_size)

    def version(self) -> str | None:
        """What ``If-Range`` may say of these bytes."""
        try:
            text = self._note.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError):
            return None
        return text if text and text.isprintable() else None

    def begin(self, version: str | None) -> None:
        """Forgets what is there; the note is written before the first byte it speaks of."""
        self.drop()
        self.target.parent.mkdir(parents=True, exist_ok=True)
        self.path.touch()
        if version:
            self._note.write_text(version, encoding="ascii")

    def append(self, piece: bytes) -> None:
        with self.path.open("ab", buffering=0) as file:
            rest = memoryview(piece)
            while rest:
                written = file.write(rest)
                self._grow(written)
                rest = rest[written:]

    def drop(self) -> None:
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)
        self._grow(-self.size_bytes)
        self.joined = False

    def finish(self) -> None:
        """Becomes the target; on the disk before it has the name that says so."""
        with self.path.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(self.path, self.target)
        self._note.unlink(missing_ok=True)

    def _grow(self, count: int) -> None:
        self.size_bytes += count
        if count:
            self._advance(count, self.target.name)


def transfer(
    job: Job, session: requests.Session, patience: Patience, needs: str, stop: threading.Event, advance: Advance
) -> bool:
    """The target is whole and checked, or CxrbenchError says why not; False where ``stop`` was set before the end."""
    where = shown(job.url)
    if job.target.is_dir():
        raise CxrbenchError(f"{job.target} is a folder, but the file {where} is to be written there; move it away")
    try:
        if job.target.is_file() and _mismatch(job, job.target, size_bytes := job.target.stat().st_size) is None:
            advance(size_bytes, job.target.name)
            return True
        part = _Part(job.target, advance)
    except OSError as error:
        raise CxrbenchError(f"{job.target} cannot be read: {error.strerror}; mend that or move it away") from None
    failures, furthest = 0, 0
    while failure := _attempt(job, part, session, patience, needs, stop):
        if failure.final:
            raise CxrbenchError(f"{where} {failure.what}")
        failures = 0 if part.size_bytes > furthest else failures + 1
        furthest = max(furthest, part.size_bytes)
        if failures >= patience.attempts:
            raise CxrbenchError(
                f"{where} could not be fetched: {failure.what}, {failures} times in a row, the last at byte"
                f" {part.size_bytes:,}; run again when the network is well, it goes on from there"
            )
        back_off_seconds = min(2.0 ** max(failures - 1, 0), LONGEST_BACK_OFF_SECONDS)
        if not stop.is_set():
            (patience.wait or stop.wait)(max(failure.wait_seconds, back_off_seconds))
        if stop.is_set():
            return False
    return True


def _attempt(
    job: Job, part: _Part, session: requests.Session, patience: Patience, needs: str, stop: threading.Event
) -> FetchFailure | None:
    """One request and its answer; None where the target is whole, checked and in its place."""
    version = part.version()
    offset = part.size_bytes if version or job.sha256 or job.md5 else 0
    headers = {"Accept-Encoding": "identity"}  # a Range counts the bytes of the file as it is
    if offset:
        headers |= {"Range": f"bytes={offset}-"} | ({"If-Range": version} if version else {})
    try:
        with session.get(job.url, headers=headers, stream=True, timeout=patience.timeout_seconds) as response:
            failure = _receive(job, part, response, offset, needs, stop)
        return failure or _finish(job, part)
    except (requests.RequestException, urllib3.exceptions.HTTPError, UnicodeError) as error:
        return answer.network_failure(error, patience.timeout_seconds)
    except OSError as error:  # what the network can raise is caught above, so this is the disk
        reason = error.strerror or type(error).__name__
        return FetchFailure(
            f"cannot be written to {part.path}: {reason}; mend that and run again, it goes on", final=True
        )


def _receive(
    job: Job, part: _Part, response: requests.Response, offset: int, needs: str, stop: threading.Event
) -> FetchFailure | None:
    """Writes what the answer holds behind what is there; None where the file should be whole now."""
    start, total = answer.content_range(response)
    raw = response.raw
    if response.status_code == 416 and offset:
        if total == offset:
            return None  # killed after the last byte and before the check
        part.drop()
        return FetchFailure("the server has no such range")
    if refused := answer.refusal(response, needs):
        return refused
    version = answer.version_of(response)
    if response.status_code == 200:
        offset, total = 0, None  # all of it: no Range was asked for, it is ignored, or the file is another now
    elif start != offset or (offset and version and part.version() not in (None, version)):
        part.drop()
        return FetchFailure("the server sent another range than was asked for")
    if total is None and raw.length_remaining is not None:
        total = offset + raw.length_remaining
    if unfit := _unfit(job, total, raw.chunked):
        return unfit
    if offset:
        part.joined = True
    else:
        part.begin(version)
    while piece := raw.read1(min(BLOCK_BYTES, raw.length_remaining or BLOCK_BYTES), decode_content=False):
        part.append(piece)
        if job.size_bytes is not None and part.size_bytes > job.size_bytes:
            part.drop()
            return FetchFailure(f"goes on after the {job.size_bytes:,} bytes expected; check its version", final=True)
        if stop.is_set():
            return FetchFailure("stopped")
    whole_bytes = job.size_bytes if total is None else total
    if whole_bytes is None or part.size_bytes == whole_bytes:
        return None
    if part.size_bytes > whole_bytes:
        part.drop()
    return FetchFailure("the body did not have the announced length")


def _unfit(job: Job, total: int | None, chunked: bool) -> FetchFailure | None:
    """What the announced size alone says against an answer."""
    if total is None and not chunked and job.size_bytes is None and not (job.sha256 or job.md5):
        return FetchFailure(
            "comes without its length, so that a cut would not be seen; download it by hand", final=True
        )
    if job.size_bytes is not None and total not in (None, job.size_bytes):
        return FetchFailure(f"has {total:,} bytes, not the {job.size_bytes:,} expected; check its version", final=True)
    return None


def _finish(job: Job, part: _Part) -> FetchFailure | None:
    if mismatch := _mismatch(job, part.path, part.size_bytes):
        joined = part.joined  # bytes of two answers may be of two files: the whole in one go decides
        part.drop()
        return FetchFailure(f"{mismatch}; it was removed, check the address and its version", final=not joined)
    part.finish()
    return None


def _mismatch(job: Job, path: Path, size_bytes: int) -> str | None:
    """What is wrong about a file, a clause with both values."""
    if job.size_bytes is not None and size_bytes != job.size_bytes:
        return f"has {size_bytes:,} bytes, not the {job.size_bytes:,} expected"
    for kind, wanted in (("sha256", job.sha256), ("md5", job.md5)):
        if wanted and (actual := _checksum(path, kind)) != wanted.strip().lower():
            return f"has {kind} {actual}, not the {wanted.strip().lower()} expected"
    return None


def _checksum(path: Path, kind: str) -> str:
    """The ``sha256`` or ``md5`` of a file, as lower-case hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.new(kind, usedforsecurity=False)).hexdigest()
