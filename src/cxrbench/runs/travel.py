"""Runs that are trained on another machine: out with their images, back with their results.

The folder holds all that training needs: jobs.json, the images as one array a cohort and size (uint8, grey), the rows
of each part, weights, and this package's code. Names of images and patients stay here: a row travels as the number of
its image, and an imported run gets its names back. ``cxrbench.runs.remote`` trains what the folder holds.
"""

import dataclasses
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

import cxrbench
from cxrbench.base.errors import CxrbenchError
from cxrbench.base.files import copied, folder_when_whole, sha256_of, write_text
from cxrbench.base.tables import read_table, write_table
from cxrbench.runs.job import Job
from cxrbench.runs.store import RunStore, read_record

JOBS, RUNS = "jobs.json", "runs"
COMMAND = "PYTHONPATH=code python -m cxrbench.runs.remote ."
README = f"""\
Runs of cxrbench to be trained on this machine. It needs Python 3.11 or later with keras 3, pandas, h5py and one of
tensorflow, jax, torch. In this folder:

    {COMMAND}

Finished runs are below {RUNS}/. Bring the folder back, then: cxrbench grid --import FOLDER
"""


def export_jobs(jobs: Sequence[Job], folder: Path) -> int:
    """Writes what training ``jobs`` needs into the new ``folder``; the bytes of its images.

    Raises CxrbenchError where the folder holds something already.
    """
    if folder.exists() and any(folder.iterdir()):
        raise CxrbenchError(f"{folder} is not empty; name a new folder")
    with folder_when_whole(folder) as unfinished:
        return _write_export(jobs, unfinished)


def _write_export(jobs: Sequence[Job], folder: Path) -> int:
    listed = []
    for job in jobs:
        rows, array = folder / f"rows-{job.data_sha256[:16]}.csv", folder / "arrays" / job.array.name
        _copy_once(job.array, array)
        if not rows.exists():
            job.rows[["source", "index", "part", "target"]].to_csv(rows, index=False, lineterminator="\n")
        weights = job.weights
        if weights not in (None, "imagenet"):
            weights = f"weights/{sha256_of(weights)[:16]}.weights.h5"
            _copy_once(Path(job.weights or ""), folder / weights)
        told = {**dataclasses.asdict(job), "rows": rows.name, "array": f"arrays/{array.name}", "weights": weights}
        told["features"] = None
        listed.append(told)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    sums = {path.relative_to(folder).as_posix(): sha256_of(path) for path in files}
    package = Path(cxrbench.__file__).parent
    left_out = shutil.ignore_patterns("__pycache__")
    shutil.copytree(package, folder / "code" / "cxrbench", ignore=left_out, copy_function=copied)
    write_text(folder / JOBS, json.dumps({"jobs": listed, "sha256": sums}, indent=1))
    write_text(folder / "README.txt", README)
    return sum(path.stat().st_size for path in (folder / "arrays").iterdir())


def exported_jobs(folder: Path) -> list[Job]:
    """The jobs of an exported folder; CxrbenchError where a file of it is missing or changed on its way."""
    try:
        listed = json.loads((folder / JOBS).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CxrbenchError(f"{folder} holds no {JOBS}; name a folder that 'cxrbench grid --export' wrote") from None
    for name, wanted in listed["sha256"].items():
        if not (folder / name).is_file() or sha256_of(folder / name) != wanted:
            raise CxrbenchError(f"{folder / name} is missing or damaged; carry the folder over again")
    return [_exported_job(folder, told) for told in listed["jobs"]]


def import_runs(folder: Path, jobs: Mapping[str, Job], store: RunStore) -> tuple[list[str], list[str]]:
    """Brings finished runs of an exported ``folder`` into ``store``: the imported ones, those that nobody asks for.

    ``jobs``: the runs that params.yaml asks for, by name. A damaged run is skipped with a sentence. Raises
    CxrbenchError, with the run's name and both values, where a run isn't the one that was exported.
    """
    trained, imported, unasked = RunStore(folder / RUNS), [], []
    for entry in sorted(path for path in trained.folder.glob("*") if not path.name.startswith(".")):
        run = entry.name
        if not trained.has(run) or store.has(run):
            continue
        if run not in jobs:
            unasked.append(run)
            continue
        scores = _named_scores(entry, jobs[run])
        if not (claim := store.claim(run)):
            continue  # it is being trained here
        with claim:
            written = store.begin(run)
            try:
                shutil.copytree(entry, written, dirs_exist_ok=True, copy_function=copied)
                write_table(written / "scores.csv", scores, "scores")
                store.commit(run, written)
            finally:
                shutil.rmtree(written, ignore_errors=True)
        imported.append(run)
    return imported, unasked


def _exported_job(folder: Path, told: dict) -> Job:
    rows = pd.read_csv(folder / told["rows"], dtype={"source": str, "part": str})
    rows = rows.assign(image_id=rows["index"].astype(str), patient_id="")
    weights = told["weights"] if told["weights"] in (None, "imagenet") else str(folder / told["weights"])
    return Job(**{**told, "rows": rows, "array": folder / told["array"], "weights": weights})


def _named_scores(entry: Path, job: Job) -> pd.DataFrame:
    """The scores of a run that was trained elsewhere, with the names of images and patients again."""
    record, scores = read_record(entry), read_table(entry / "scores.csv", "scores")
    asked = {"setting": job.setting, "seed": job.seed, "data": job.data_sha256}
    has = {"setting": record["setting"], "seed": record["seed"], "data": record["data"]["sha256"]}
    for key, wanted in asked.items():
        if has[key] != wanted:
            raise CxrbenchError(f"run {entry.name} in {entry.parent} has {key} {has[key]}, but {wanted} was exported")
    rows = job.rows[job.rows["part"] != "train"].reset_index(drop=True)
    same = len(rows) == len(scores) and all(
        np.array_equal(scores[mine].to_numpy(dtype=str), rows[theirs].to_numpy(dtype=str))
        for mine, theirs in (("image_id", "index"), ("part", "part"), ("target", "target"))
    )
    if not same:
        raise CxrbenchError(f"scores of run {entry.name} in {entry.parent} are not of the images that were exported")
    return scores.assign(**{key: rows[key].to_numpy() for key in ("image_id", "patient_id")})


def _copy_once(source: Path, target: Path) -> None:
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
