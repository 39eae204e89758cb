"""What the report is made from: every table that the stages up to evaluate wrote, read in one place."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.origins import Origin, read_origins
from cxrbench.base.tables import empty, read_if_there, read_table
from cxrbench.evaluation.runs import read_grid, read_histories
from cxrbench.evaluation.sound import check_metrics, check_runs
from cxrbench.evaluation.study_settings import StudySettings, read_settings


@dataclasses.dataclass(frozen=True)
class Results:
    """Each table has the columns that base/tables.py declares by its name."""

    settings: StudySettings
    grid: pd.DataFrame
    runs: Mapping[str, tuple[Mapping[str, Any], pd.DataFrame]]  # run -> its record and its table 'scores'
    histories: Mapping[str, pd.DataFrame]  # run -> its table 'history'
    metrics: pd.DataFrame
    assignment: pd.DataFrame
    leaks: pd.DataFrame
    duplicates: pd.DataFrame
    shortcuts: pd.DataFrame
    rejects: pd.DataFrame
    review: pd.DataFrame
    checks: Mapping[str, Any]  # validate's verdict.json
    view_filter: Mapping[str, Any]  # view-filter's metrics.json
    redrawn: pd.DataFrame = dataclasses.field(default_factory=lambda: empty("redrawn"))  # no rows: no split was redrawn
    redrawn_leaks: pd.DataFrame = dataclasses.field(default_factory=lambda: empty("redrawn_leaks"))
    attention: pd.DataFrame = dataclasses.field(default_factory=lambda: empty("attention"))
    pictures: Mapping[str, bytes] = dataclasses.field(default_factory=dict)  # JPEG files that the table attention names
    origins: Sequence[Origin] = ()  # of the runs; none are known of what an earlier version trained

    @property
    def seeds(self) -> list[int]:
        """Every seed of the grid, in order."""
        return sorted(int(seed) for seed in self.grid["seed"].unique())


def read_results(data: Path) -> Results:
    """The results in the folder of that name; a missing or damaged file is a CxrbenchError that names it."""
    runs = data / "train-grid"
    grid = read_table(runs / "grid.csv", "grid")
    split = {
        name: read_table(data / "split" / f"{name}.csv", name)
        for name in ("assignment", "leaks", "duplicates", "shortcuts")
    }
    attention = read_table(data / "evaluate/attention.csv", "attention")
    trained, metrics = read_grid(grid, runs), read_table(data / "evaluate/metrics.csv", "metrics")
    check_runs(grid, trained)
    check_metrics(metrics, trained)
    return Results(
        settings=read_settings(runs / "settings.json"),
        grid=grid,
        runs=trained,
        histories=read_histories(grid, runs),
        metrics=metrics,
        redrawn=read_if_there(data / "split/redrawn.csv", "redrawn"),
        redrawn_leaks=read_if_there(data / "split/redrawn_leaks.csv", "redrawn_leaks"),
        rejects=read_table(data / "download/rejects.csv", "rejects"),
        review=read_table(data / "view-filter/review.csv", "review"),
        checks=_read_json(data / "validate/verdict.json"),
        view_filter=_read_json(data / "view-filter/metrics.json"),
        attention=attention,
        pictures={
            name: path.read_bytes()
            for name in attention["picture"]
            if name
            if (path := data / "evaluate" / name).is_file()
        },
        origins=read_origins(runs),
        **split,
    )


def _read_json(path: Path) -> dict[str, Any]:
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CxrbenchError(f"{path} does not exist; run 'dvc repro' to make it") from None
    except ValueError as error:
        raise CxrbenchError(f"{path} is damaged ({error}); delete it and run 'dvc repro'") from None
    return dict(tree)
