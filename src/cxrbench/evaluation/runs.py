"""Reading what train-grid wrote: each run of the grid once, and the metrics of every cell."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.tables import TABLES, read_table
from cxrbench.evaluation.comparisons import Run, Timing
from cxrbench.evaluation.metrics import METRICS, TIMES, evaluate
from cxrbench.evaluation.resampling import Scores
from cxrbench.evaluation.sound import check_runs

PARTS = ("validation", "test")


def read_run(folder: Path) -> tuple[dict[str, Any], pd.DataFrame]:
    """A run's record and its scores; raises CxrbenchError where one is missing or damaged."""
    for name in ("run.json", "scores.csv"):
        if not (folder / name).is_file():
            raise CxrbenchError(f"run {folder.name} has no {folder / name}; run 'dvc repro train-grid' to train it")
    try:
        record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        if not isinstance(record, dict):
            raise ValueError("it holds no names and values")
    except ValueError as error:
        raise CxrbenchError(f"{folder / 'run.json'} is damaged ({error}); run 'dvc repro -f train-grid'") from None
    return record, read_table(folder / "scores.csv", "scores")


def read_grid(grid: pd.DataFrame, folder: Path) -> dict[str, tuple[dict[str, Any], pd.DataFrame]]:
    """Every run that the grid names -> its record and scores."""
    return {run: read_run(folder / run) for run in grid["run"].unique()}


def read_histories(grid: pd.DataFrame, folder: Path) -> dict[str, pd.DataFrame]:
    """Every run that the grid names -> its table 'history'."""
    return {run: read_table(folder / run / "history.csv", "history") for run in grid["run"].unique()}


def metric_table(grid: pd.DataFrame, runs: Mapping[str, tuple[Mapping[str, Any], pd.DataFrame]]) -> pd.DataFrame:
    """The table 'metrics': a row for each cell of the grid and each part its run has scored.

    Raises CxrbenchError where the runs can't be compared (see evaluation/sound.py).
    """
    check_runs(grid, runs)
    judged = {run: _judge(record, scores) for run, (record, scores) in runs.items()}
    rows = [
        {"study": cell.study, "setting": cell.setting, "seed": cell.seed, "run": cell.run, **row}
        for cell in grid.itertuples(index=False)
        for row in judged[str(cell.run)]
    ]
    return pd.DataFrame(rows, columns=list(TABLES["metrics"]))


def studies(
    metrics: pd.DataFrame, runs: Mapping[str, tuple[Mapping[str, Any], pd.DataFrame]]
) -> dict[str, dict[str, list[Run]]]:
    """Study -> setting -> its runs in order of seed, as verdicts take them."""
    scores = {
        run: {part: _scores(table[table["part"] == part]) for part in PARTS if (table["part"] == part).any()}
        for run, (_, table) in runs.items()
    }
    result: dict[str, dict[str, list[Run]]] = {}
    for (study, setting, seed, name), rows in metrics.groupby(["study", "setting", "seed", "run"], sort=False):
        seconds = {metric: float(rows[metric].iloc[0]) for metric in TIMES}
        status = dict(zip(rows["part"], rows["status"]))
        record = runs[str(name)][0]
        redrawn = bool(record.get("setting", {}).get("redraw", False))
        run = Run(int(seed), status, scores[str(name)], seconds, _timing(record), redrawn)
        result.setdefault(str(study), {}).setdefault(str(setting), []).append(run)
    for settings in result.values():
        for of_setting in settings.values():
            of_setting.sort(key=lambda run: run.seed)
    return result


def _timing(record: Mapping[str, Any]) -> Timing | None:
    """What the run's record says its time depends on; None where it does not say (runs of earlier versions)."""
    names = [field.name for field in dataclasses.fields(Timing)]
    recorded = record.get("timing") or {}
    return Timing(**{name: recorded[name] for name in names}) if all(name in recorded for name in names) else None


def _judge(record: Mapping[str, Any], scores: pd.DataFrame) -> list[dict[str, Any]]:
    rows = []
    for part in PARTS:
        images = scores[scores["part"] == part]
        if images.empty:
            continue
        status, values = evaluate(images["target"].to_numpy(), images["score"].to_numpy())
        if record["status"] == "diverged":
            status, values = "diverged", dict.fromkeys(METRICS, float("nan"))
        seconds = {name: record[name] for name in TIMES}
        rows.append({"part": part, "status": status, "n": len(images), **values, **seconds})
    if not rows:
        raise CxrbenchError(
            f"run {record['run']} scored 0 images of validation and test; run 'dvc repro -f train-grid' to score them"
        )
    return rows


def _scores(table: pd.DataFrame) -> Scores:
    # Where the source names no patient, each image stands for one of its own. Two sources may use one name.
    patient = table["source"] + "/" + table["patient_id"].where(table["patient_id"] != "", "image " + table["image_id"])
    return Scores(patient.to_numpy(dtype="str"), table["target"].to_numpy(), table["score"].to_numpy())
