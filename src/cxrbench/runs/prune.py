"""What may leave the run store: runs and arrays that no grid of the last days used or refers to."""

import dataclasses
import time
from collections.abc import Collection, Iterable
from pathlib import Path

from cxrbench.runs.store import RunStore, read_record

DAY_SECONDS = 86400.0
FRESH_SECONDS = 3600.0  # an array is made, or found, a moment before its grid says that it uses it


@dataclasses.dataclass(frozen=True)
class Prunable:
    """A run, or the file of an array."""

    name: str
    bytes: int
    used: float  # last, seconds since 1970
    what: str  # in words
    array: Path | None = None


def prunable(store: RunStore, arrays: Path, keep: Collection[str], days: float) -> list[Prunable]:
    """What is not in ``keep``, was not used for ``days`` and is used by no living process; the longest unused first."""
    kept = {*keep, *store.used_now()}
    found = [*_runs(store, store.names() - kept), *_arrays(arrays, kept)]
    before = time.time() - days * DAY_SECONDS
    return sorted((one for one in found if one.used <= before), key=lambda one: one.used)


def remove(store: RunStore, chosen: Iterable[Prunable]) -> tuple[int, list[Prunable]]:
    """Removes what was found; the bytes freed, and what stays because a process has begun to use it meanwhile."""
    freed, stayed = 0, []
    for one in chosen:
        if store.discard_file(one.array) if one.array else store.discard(one.name):
            freed += one.bytes
        else:
            stayed.append(one)
    return freed, stayed


def _runs(store: RunStore, names: Iterable[str]) -> Iterable[Prunable]:
    for run in names:
        if store.claimed_by(run):
            continue
        parts = store.parts(run)
        files = [file for part in parts for file in ([part] if part.is_file() else part.rglob("*"))]
        sizes, times = [_size(file) for file in files], [_time(part) for part in parts]
        yield Prunable(run, sum(sizes), max(times, default=0.0), _words(store, run))


def _arrays(folder: Path, kept: Collection[str]) -> Iterable[Prunable]:
    """Arrays, and what a killed process left of one."""
    for path in folder.glob("*.npy*"):
        fresh = time.time() - _time(path) < FRESH_SECONDS
        if path.name not in kept and not fresh:
            yield Prunable(path.name, _size(path), _time(path), "decoded images, made again where wanted", path)


def _words(store: RunStore, run: str) -> str:
    try:
        record = read_record(store.path(run))
        setting = record["setting"]
        told = ("cohort", "protocol", "model", "lr", "batch_size", "loss")
        values = ", ".join(f"{key}={setting[key]}" for key in told)
        return f"{values}, seed {record['seed']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "begun or failed, never finished"


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:  # gone meanwhile
        return 0


def _time(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return time.time()
