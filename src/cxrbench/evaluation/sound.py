"""Whether runs can be compared at all, asked wherever they are read: in a workspace, a result set or another commit.

The stage evaluate checks the scores against the images that were asked for. A result set may come from elsewhere, and
a file may have been edited since; a mean over what is left would say nothing of it.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from cxrbench.base.errors import CxrbenchError
from cxrbench.evaluation.study_settings import split_of

Runs = Mapping[str, tuple[Mapping[str, Any], pd.DataFrame]]  # run -> its record and its table 'scores'
IMAGE = ["part", "source", "image_id"]


def check_runs(grid: pd.DataFrame, runs: Runs) -> None:
    """Raises CxrbenchError where a run is missing, scores an image twice, or other images than its fellows.

    Fellows are the runs of one study, split and seed: they differ in their settings and not in their images.
    """
    for run in dict.fromkeys(grid["run"]):
        if run not in runs:
            cell = grid[grid["run"] == run].iloc[0]
            raise CxrbenchError(
                f"run {run} is missing, which the grid names for {_name(cell)}; train it with 'dvc repro' or fetch the"
                " result set again"
            )
        _check_images(run, runs[run][1])
    first: dict[tuple[Any, ...], tuple[pd.Series, pd.DataFrame]] = {}
    for _, cell in grid.iterrows():
        record, scores = runs[cell["run"]]
        if "setting" not in record:  # as of other tools' runs: nothing says what was asked
            continue
        asked = scores[[*IMAGE, "target"]]
        key = cell["study"], cell["seed"], *split_of(record["setting"])
        other, known = first.setdefault(key, (cell, asked))
        if not asked.equals(known):  # mostly they are; to sort them takes ten times as long
            _compare(cell, asked, other, known)


def check_metrics(metrics: pd.DataFrame, runs: Runs) -> None:
    """Raises CxrbenchError where the table 'metrics' can't come from the scores as they are now."""
    for run, rows in metrics.groupby("run", sort=False):
        if run not in runs:
            raise CxrbenchError(f"the metrics hold run {run}, which the grid does not; run 'dvc repro evaluate'")
        scores = runs[str(run)][1]
        for row in rows.drop_duplicates("part").itertuples(index=False):
            score = scores.loc[scores["part"] == row.part, "score"]
            lost = int((~np.isfinite(score)).sum())
            if len(score) != row.n or (lost and row.status != "diverged"):
                raise CxrbenchError(
                    f"the {row.part} metrics of run {run} ({row.n} images, {row.status}) do not come from its scores as"
                    f" they are now ({len(score)} images, {lost} without a score); run 'dvc repro evaluate'"
                )


def _check_images(run: str, scores: pd.DataFrame) -> None:
    twice = scores[scores.duplicated(["source", "image_id"])]
    if len(twice):
        raise CxrbenchError(
            f"run {run} scores {len(twice)} images more than once, such as {twice['image_id'].iloc[0]} of"
            f" {twice['source'].iloc[0]}; run 'dvc repro -f train-grid' or fetch the result set again"
        )


def _compare(cell: pd.Series, scored: pd.DataFrame, other: pd.Series, scored_by_other: pd.DataFrame) -> None:
    """Refuses two runs of other images; their order may differ."""
    targets, known = (table.set_index(IMAGE)["target"].sort_index() for table in (scored, scored_by_other))
    if targets.equals(known):
        return
    alone = targets.index.symmetric_difference(known.index)
    if len(alone):
        part, _, image = alone[0]
        what = f"scored different images: {len(alone)} are in one run only, such as {image} in {part}"
    else:
        part, _, image = targets.index[targets.to_numpy() != known.to_numpy()][0]
        what = f"disagree on what images show, such as {image} in {part}"
    raise CxrbenchError(
        f"{_name(cell)} and {other['setting']} {what}; so they can't be compared. Run 'dvc repro -f train-grid' or"
        " fetch the result set again"
    )


def _name(cell: pd.Series) -> str:
    return f"study {cell['study']}, setting {cell['setting']}, seed {cell['seed']}"
