"""Tidy tables of points for curves: the same rows are drawn on the page and written for `dvc plots`."""

from collections.abc import Mapping

import pandas as pd

from cxrbench.evaluation.metrics import roc_points
from cxrbench.reporting.figures import Line

CELL = ["study", "setting", "seed"]


def learning_curves(grid: pd.DataFrame, histories: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """A row an epoch of each cell of the grid, with its run's history."""
    tables = [
        histories[str(cell.run)].assign(study=cell.study, setting=cell.setting, seed=cell.seed)
        for cell in grid.itertuples()
    ]
    return pd.concat(tables)[[*CELL, "epoch", "loss", "accuracy", "val_loss", "val_accuracy"]]


def roc_curves(grid: pd.DataFrame, scores: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """A row a point of each cell's ROC curve on test (on validation where a run has no test images)."""
    tables = []
    points: dict[str, pd.DataFrame] = {}
    for cell in grid.itertuples():
        run = str(cell.run)
        if run not in points:
            part = "test" if (scores[run]["part"] == "test").any() else "validation"
            chosen = scores[run][scores[run]["part"] == part]
            false, true = roc_points(chosen["target"].to_numpy(), chosen["score"].to_numpy())
            points[run] = pd.DataFrame({"part": part, "false_positive_rate": false, "true_positive_rate": true})
        tables.append(points[run].assign(study=cell.study, setting=cell.setting, seed=cell.seed))
    return pd.concat(tables)[[*CELL, "part", "false_positive_rate", "true_positive_rate"]]


def lines(points: pd.DataFrame, study: str, settings: list[str], x: str, y: str) -> list[Line]:
    """One study's curves, each run a line, in the order of ``settings``."""
    chosen = points[points["study"] == study]
    result = []
    for style, setting in enumerate(settings):
        of_setting = chosen[chosen["setting"] == setting]
        result += [Line(style, run[x].to_numpy(), run[y].to_numpy()) for _, run in of_setting.groupby("seed")]
    return result


def csv(points: pd.DataFrame) -> str:
    """The table as CSV text, numbers to six digits."""
    return points.to_csv(index=False, lineterminator="\n", float_format="%.6g")
