"""Tidy tables of points for curves, a row a point of a run, as they are written for `dvc plots`."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from cxrbench.evaluation.calibration import reliability
from cxrbench.evaluation.metrics import roc_points
from cxrbench.evaluation.seed_bands import RECALLS, precision_at

CELL = ["study", "setting", "seed"]


def learning_curves(grid: pd.DataFrame, histories: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """A row an epoch of each cell of the grid, with its run's history."""
    tables = [
        histories[str(cell.run)].assign(study=cell.study, setting=cell.setting, seed=cell.seed)
        for cell in grid.itertuples()
    ]
    return pd.concat(tables)[[*CELL, "epoch", "loss", "accuracy", "val_loss", "val_accuracy"]]


def score_curves(grid: pd.DataFrame, scores: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Tables 'roc', 'precision-recall' and 'reliability', a row a point of each cell's curve.

    On test, on validation where a run has no test images. ``scores`` are the tables of that name, by run.
    """
    found = {str(run): _of_run(scores[str(run)]) for run in grid["run"].unique()}
    columns: dict[str, dict[str, list[np.ndarray]]] = {}
    for cell in grid.itertuples():
        part, tables = found[str(cell.run)]
        for name, points in tables.items():
            length = len(next(iter(points.values())))
            same = {"study": cell.study, "setting": cell.setting, "seed": cell.seed, "part": part}
            of_table = columns.setdefault(name, {})
            for column, values in {**{key: np.full(length, value) for key, value in same.items()}, **points}.items():
                of_table.setdefault(column, []).append(values)
    return {
        name: pd.DataFrame({column: np.concatenate(arrays) for column, arrays in of_table.items()})
        for name, of_table in columns.items()
    }


def _of_run(scores: pd.DataFrame) -> tuple[str, dict[str, dict[str, np.ndarray]]]:
    """The part that one run's curves are of, and of each curve the columns."""
    part = "test" if (scores["part"] == "test").any() else "validation"
    chosen = (scores["part"] == part).to_numpy()
    target, score = scores["target"].to_numpy()[chosen], scores["score"].to_numpy()[chosen]
    false, true = roc_points(target, score)
    precision = precision_at(target, score, RECALLS)
    known = np.isfinite(precision)
    bins = reliability(target, score)
    return part, {
        "roc": {"false_positive_rate": false, "true_positive_rate": true},
        "precision-recall": {"recall": RECALLS[known], "precision": precision[known]},
        "reliability": {"mean_score": bins.score, "share": bins.share, "images": bins.images},
    }


def csv(points: pd.DataFrame) -> str:
    """The table as CSV text, numbers to six digits."""
    return points.to_csv(index=False, lineterminator="\n", float_format="%.6g")
