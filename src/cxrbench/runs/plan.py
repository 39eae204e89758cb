"""Which runs there are and which are missing: planned runs of studies -> trained runs in the store.

A run of the store is used again; a missing one is trained once, however many studies ask for it.
"""

import contextlib
import dataclasses
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from cxrbench.base import machine
from cxrbench.base.assignment import column_of, need
from cxrbench.base.errors import CxrbenchError
from cxrbench.base.progress import progress
from cxrbench.base.tables import PARTS
from cxrbench.config.setting import Setting
from cxrbench.config.studies import PlannedRun
from cxrbench.images.kept_squares import kept_squares
from cxrbench.runs import starts
from cxrbench.runs.driver import RunsFailed, time_all, train_all
from cxrbench.runs.executors.chosen import chosen
from cxrbench.runs.executors.local import LocalExecutor
from cxrbench.runs.executors.worker import timing
from cxrbench.runs.fingerprint import data_sha256, features_name, fingerprint, values_of, weights_of
from cxrbench.runs.job import Job
from cxrbench.runs.side_by_side import side_by_side
from cxrbench.runs.store import Failure, RunStore
from cxrbench.runs.watch import watched
from cxrbench.training import backend

TIMED_EPOCHS = 3  # of a run that is timed alone; the first one also traces and compiles


def fingerprints(planned: Sequence[PlannedRun], assignment: pd.DataFrame) -> list[str]:
    """The fingerprint of each planned run, in their order; CxrbenchError where one can't be trained."""
    hashes: dict[tuple[str, str], str] = {}
    result = []
    for one in planned:
        key = (one.setting.cohort, column_of(one.setting.protocol, one.setting.redraw, one.seed))
        if key not in hashes:
            hashes[key] = data_sha256(select(assignment, *key))
        try:
            result.append(fingerprint(one.setting, one.seed, hashes[key]))
        except CxrbenchError as error:
            raise CxrbenchError(f"study {one.study}, {one.label}: {error}") from None
    return result


def train_missing(
    planned: Sequence[PlannedRun],
    assignment: pd.DataFrame,
    store: RunStore,
    cache: Path,
    workers: int | None,
    on_run: Callable[[str], None] = lambda run: None,
    executor: str = "local",
) -> list[str]:
    """``fingerprints`` of the planned runs; every one of them is in ``store`` at the end.

    Those that a study wants timed alone are, afterwards and one after the other, unless they were on this machine.
    ``on_run`` is called with each distinct run as soon as it is there and timed, reused ones first. Raises RunsFailed
    where runs failed twice, when all others are there. ``executor`` says where missing runs are trained; ``workers`` is
    then the number of runs at a time on the cluster.
    """
    names = fingerprints(planned, assignment)
    wanted = dict(zip(reversed(names), reversed(planned)))  # the first that asks for a run gives it its title
    store.use(wanted)
    store.tidy()
    missing = [run for run in dict.fromkeys(names) if not store.has(run)]
    alone = {run for run, one in zip(names, planned) if one.alone}
    untimed = [
        run
        for run in dict.fromkeys(names)
        if run in alone and (run in missing or not store.timed_alone(run, backend.machine()))
    ]
    print(
        f"{len(wanted)} distinct runs answer {len(planned)} planned ones: {len(wanted) - len(missing)} in the store,"
        f" {len(missing)} to train, {len(untimed)} to time alone",
        flush=True,
    )
    for run in wanted.keys() - {*missing, *untimed}:
        on_run(run)
    starts.ready([wanted[run].setting for run in dict.fromkeys([*missing, *untimed])], download=executor != "ray")
    jobs = _jobs({run: wanted[run] for run in dict.fromkeys([*missing, *untimed])}, assignment, cache, workers)
    store.use({job.array.name for job in jobs.values()})
    titles = {run: f"{one.study}, {one.label}, seed {one.seed}" for run, one in wanted.items()}
    failures: list[Failure] = []
    if missing:
        to_train = [jobs[run] for run in missing]
        slots = _slots(to_train, workers, executor)
        with watched("epochs trained", to_train, titles, lambda run: None if run in untimed else on_run(run)) as shown:
            failures += train_all(to_train, store, chosen(executor, slots, store.folder), *shown)
    failed = {failure.run for failure in failures}
    if to_time := [_shortened(jobs[run]) for run in untimed if run not in failed]:
        with watched("epochs timed alone", to_time, titles, on_run) as shown:
            failures += time_all(to_time, store, LocalExecutor(1, timing), *shown)
    if failures:
        raise RunsFailed(failures, titles, store)
    return names


def missing_jobs(
    planned: Sequence[PlannedRun], assignment: pd.DataFrame, store: RunStore, cache: Path, workers: int | None
) -> dict[str, Job]:
    """The jobs of the planned runs that are not in ``store``, by run."""
    wanted = dict(zip(fingerprints(planned, assignment), planned))
    return _jobs({run: one for run, one in wanted.items() if not store.has(run)}, assignment, cache, workers)


def select(assignment: pd.DataFrame, cohort: str, split: str) -> pd.DataFrame:
    """What a run on column ``split`` of ``cohort`` sees: source, image_id, sha256, patient_id, part, target, index.

    ``index`` is the image's place in the cohort's array, and ``sha256`` is of the file at that place of the array's
    list, so that the data's hash covers which image a run really reads. Sorted by source and image_id, so that a run
    does not depend on the order of a table. Raises CxrbenchError where a part that training needs is empty, or
    the split was not drawn. ``split`` is a protocol, or the name that ``column_of`` gives a redrawn one.
    """
    need(assignment, split)
    files = _files(assignment, cohort)
    rows = files[files[split] != ""].rename(columns={split: "part"}).reset_index(names="index")
    for part in PARTS:
        if not (rows["part"] == part).any():
            raise CxrbenchError(
                f"cohort '{cohort}' under protocol '{split}' has no {part} images in data/split/assignment.csv;"
                " mend split.quotas or the cohort"
            )
    rows = rows.assign(sha256=files["sha256"].to_numpy()[rows["index"]])
    return rows[["source", "image_id", "sha256", "patient_id", "part", "target", "index"]]


def _files(assignment: pd.DataFrame, cohort: str) -> pd.DataFrame:
    """The files of a cohort's array in its order: all images, whatever a protocol uses."""
    return assignment[assignment["cohort"] == cohort].sort_values(["source", "image_id"], ignore_index=True)


def _jobs(wanted: dict[str, PlannedRun], assignment: pd.DataFrame, cache: Path, workers: int | None) -> dict[str, Job]:
    """A job for each run, with the array of its images; an array is made where the cache has none."""
    arrays: dict[tuple[str, int, str], Path] = {}
    selections: dict[tuple[str, str], pd.DataFrame] = {}
    jobs, processes = {}, machine.processes(workers)
    for run, one in wanted.items():
        setting = one.setting
        array = (setting.cohort, setting.image_size, setting.resize)
        part = (setting.cohort, column_of(setting.protocol, setting.redraw, one.seed))
        if array not in arrays:
            files = _files(assignment, setting.cohort)
            paths, sums = files["path"].tolist(), files["sha256"].tolist()
            with progress(f"{setting.cohort} images at {setting.image_size} px", len(files)) as advance:
                arrays[array] = kept_squares(paths, sums, setting.image_size, setting.resize, cache, processes, advance)
            with contextlib.suppress(OSError):
                os.utime(arrays[array])  # its last use, by which ``cxrbench grid --prune`` knows old ones
        if part not in selections:
            selections[part] = select(assignment, *part)
        rows, start = selections[part], weights_of(setting)
        jobs[run] = Job(
            run, values_of(setting), one.seed, rows.drop(columns="sha256"), arrays[array], data_sha256(rows),
            None if start is None else str(start), _features(setting, arrays[array]),
        )  # fmt: skip
    return jobs


def _features(setting: Setting, array: Path) -> Path | None:
    """The file of a frozen backbone's features, beside the array of the images; None where none are kept."""
    if setting.backbone == "trained" or setting.augment != "none":
        return None
    return array.with_name(f"{array.stem}.{features_name(setting)}.npz")


def _slots(jobs: Sequence[Job], workers: int | None, executor: str) -> int | None:
    """Runs at a time; says what was chosen on this machine. None: a cluster's own executor knows what it holds."""
    if executor == "local":
        slots, why = side_by_side(jobs, workers)
        print(f"{slots} at a time ({why})", flush=True)
        return slots
    return None if workers is None else min(workers, len(jobs))


def _shortened(job: Job) -> Job:
    return dataclasses.replace(job, setting={**job.setting, "epochs": TIMED_EPOCHS})
