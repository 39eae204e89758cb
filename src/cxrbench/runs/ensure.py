"""Cells of studies -> trained runs in the store: what is there is reused, the rest is trained once."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from cxrbench.base.progress import progress
from cxrbench.config.studies import PlannedRun
from cxrbench.images.squares import grey_squares
from cxrbench.runs import selection
from cxrbench.runs.executor import train_all
from cxrbench.runs.job import Job
from cxrbench.runs.store import RunStore, fingerprint

IMAGE = ["source", "image_id"]  # what names an image among those of a run


def fingerprints(cells: Sequence[PlannedRun], assignment: pd.DataFrame) -> list[str]:
    """The run that answers each cell, in their order."""
    hashes: dict[tuple[str, str], str] = {}
    for cell in cells:
        key = (cell.setting.cohort, cell.setting.protocol)
        if key not in hashes:
            hashes[key] = selection.data_sha256(selection.select(assignment, *key))
    return [fingerprint(cell.setting, cell.seed, hashes[cell.setting.cohort, cell.setting.protocol]) for cell in cells]


def ensure(
    cells: Sequence[PlannedRun],
    assignment: pd.DataFrame,
    store: RunStore,
    cache: Path,
    workers: int,
    on_run: Callable[[str], None] = lambda run: None,
) -> list[str]:
    """``fingerprints`` of the cells; every one of them is in ``store`` at the end.

    ``on_run`` is called with each distinct run as soon as it is there, reused ones first.
    """
    names = fingerprints(cells, assignment)
    wanted = dict(zip(reversed(names), reversed(cells)))  # the first cell that asks for a run names it
    missing = {run: wanted[run] for run in dict.fromkeys(names) if not store.has(run)}
    print(
        f"{len(wanted)} distinct runs answer {len(cells)} cells: {len(wanted) - len(missing)} in the store,"
        f" {len(missing)} to train",
        flush=True,
    )
    for run in wanted.keys() - missing.keys():
        on_run(run)
    if missing:
        jobs = _jobs(missing, assignment, cache, workers)
        titles = {run: f"{cell.study}, {cell.label}, seed {cell.seed}" for run, cell in missing.items()}
        with progress("epochs trained", sum(job.setting.epochs for job in jobs)) as advance:
            train_all(jobs, store, workers, lambda run, epoch: advance(1, f"{titles[run]}, epoch {epoch}"), on_run)
    return names


def _jobs(missing: dict[str, PlannedRun], assignment: pd.DataFrame, cache: Path, workers: int) -> list[Job]:
    """The missing runs with their images; an array holds all images of a cohort, whatever a protocol uses."""
    arrays: dict[tuple[str, int, str], tuple[Path, pd.MultiIndex]] = {}
    selections: dict[tuple[str, str], tuple[pd.DataFrame, str]] = {}
    jobs = []
    for run, cell in missing.items():
        setting = cell.setting
        key = (setting.cohort, setting.image_size, setting.resize)
        if key not in arrays:
            images = assignment[assignment["cohort"] == setting.cohort].sort_values(["source", "image_id"])
            paths, sums = images["path"].tolist(), images["sha256"].tolist()
            with progress(f"{setting.cohort} images at {setting.image_size} px", len(images)) as advance:
                array = grey_squares(paths, sums, setting.image_size, setting.resize, cache, workers, advance)
            arrays[key] = array, pd.MultiIndex.from_frame(images[IMAGE])
        array, places = arrays[key]
        part_of = (setting.cohort, setting.protocol)
        if part_of not in selections:
            rows = selection.select(assignment, *part_of)
            selections[part_of] = rows, selection.data_sha256(rows)
        rows, data_sha256 = selections[part_of]
        rows = rows.assign(index=places.get_indexer(pd.MultiIndex.from_frame(rows[IMAGE]))).drop(
            columns=["path", "sha256"]
        )
        jobs.append(Job(run, setting, cell.seed, rows, array, data_sha256))
    return jobs
