"""How far the grid is: the state of every planned run, and the seconds left by what like runs took."""

import contextlib
import dataclasses
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from cxrbench.config.setting import Setting
from cxrbench.config.studies import PlannedRun
from cxrbench.runs.plan import select
from cxrbench.runs.store import RunStore, read_record
from cxrbench.training.backend import machine

STATES = ("done", "diverged", "running", "failed", "missing")
LIKE = (("model", "image_size", "batch_size"), ("model", "image_size"))  # settings of a like run; the nearest first


@dataclasses.dataclass(frozen=True)
class State:
    """Where a run stands. A run that another process holds is running, whatever was before."""

    state: str  # one of STATES
    note: Mapping[str, Any] = dataclasses.field(default_factory=dict)  # of running: who holds it; of failed: reason


def state_of(run: str, store: RunStore) -> State:
    """The state of a run in ``store``; the entry is taken as whole, since to check it reads every byte."""
    with contextlib.suppress(OSError, ValueError):  # no entry, or a damaged one, which the next grid trains again
        return State("diverged" if read_record(store.path(run)).get("status") == "diverged" else "done")
    if holder := store.claimed_by(run):
        return State("running", holder)
    if failure := store.failure(run):
        return State("failed", {"reason": failure.reason, "record": store.failure_file(run)})
    return State("missing")


class Estimate:
    """Seconds of training by the records of ``store``: what an image and epoch took in like runs on this machine."""

    def __init__(self, store: RunStore, assignment: pd.DataFrame) -> None:
        self._assignment = assignment
        self._images: dict[tuple[str, str], int] = {}
        self._rates: dict[tuple[Any, ...], list[float]] = {}  # values of LIKE -> seconds an image and epoch
        for run in store.names():
            try:
                self._learn(read_record(store.path(run)))
            except (OSError, ValueError, KeyError, ZeroDivisionError):
                continue  # no entry yet, or one of an earlier version

    def seconds(self, setting: Setting) -> float | None:
        """Of one run with nothing but what trained beside the like ones; None where there is no like run."""
        values = setting.model_dump()
        for keys in LIKE:
            if rates := self._rates.get(tuple(values[key] for key in keys)):
                return statistics.mean(rates) * setting.epochs * self._training_images(setting)
        return None

    def _learn(self, record: dict[str, Any]) -> None:
        if record.get("timing", {}).get("machine") != machine():
            return
        rate = record["train_seconds"] / (record["epochs_done"] * record["data"]["train"])
        for keys in LIKE:
            self._rates.setdefault(tuple(record["setting"][key] for key in keys), []).append(rate)

    def _training_images(self, setting: Setting) -> int:
        key = (setting.cohort, setting.protocol)
        if key not in self._images:
            self._images[key] = int((select(self._assignment, *key)["part"] == "train").sum())
        return self._images[key]


@dataclasses.dataclass(frozen=True)
class Overview:
    """A table of counts by study, and what there is to say of single runs."""

    table: pd.DataFrame  # study, the STATES as counts, seconds (NaN: unknown); the last row counts each run once
    running: Sequence[tuple[str, Mapping[str, Any]]]  # title and who holds it
    failed: Sequence[tuple[str, Mapping[str, Any]]]  # title, reason and the file with the traceback
    unknown: int  # runs to train that no recorded run is like


def overview(
    planned: Sequence[PlannedRun], names: Sequence[str], store: RunStore, assignment: pd.DataFrame, workers: int
) -> Overview:
    """Where the planned runs stand; ``names`` are their fingerprints. Seconds are divided by ``workers``."""
    states = {run: state_of(run, store) for run in dict.fromkeys(names)}
    estimate = Estimate(store, assignment)
    to_train = {
        run: estimate.seconds(one.setting)
        for run, one in zip(names, planned)
        if states[run].state in ("running", "failed", "missing")
    }
    studies: dict[str, list[str]] = {}
    for run, one in zip(names, planned):
        studies.setdefault(one.study, []).append(run)
    rows = []
    for study, runs in [*studies.items(), ("all, each run once", list(states))]:
        left = [seconds for run in dict.fromkeys(runs) if (seconds := to_train.get(run)) is not None]
        unknown = any(to_train.get(run, 0.0) is None for run in runs)
        counts = [sum(states[run].state == state for run in runs) for state in STATES]
        rows.append([study, *counts, float("nan") if unknown and not left else sum(left) / workers])
    first = dict(zip(reversed(names), reversed(planned)))  # that asks for a run gives it its title
    titles = {run: f"{one.study}, {one.label}, seed {one.seed}" for run, one in first.items()}
    told = {
        state: [(titles[run], one.note) for run, one in states.items() if one.state == state]
        for state in ("running", "failed")
    }
    table = pd.DataFrame(rows, columns=["study", *STATES, "seconds"])
    return Overview(table, told["running"], told["failed"], sum(seconds is None for seconds in to_train.values()))
