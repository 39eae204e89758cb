"""Means over seeds: what a setting reached on each part, and which setting is the winner on validation.

A winner is found among settings that were judged on the same images; settings under several protocols have several.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import pandas as pd

from cxrbench.base.errors import CxrbenchError
from cxrbench.evaluation.metrics import METRICS, TIMES
from cxrbench.evaluation.study_settings import Split


@dataclasses.dataclass(frozen=True)
class Stat:
    """One metric of one setting on one part; ``values`` holds a number for each seed, NaN where undefined."""

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """NaN where one run has no value: a mean over the others would hide it."""
        return sum(self.values) / len(self.values)

    @property
    def sd(self) -> float:
        """The sample standard deviation (n - 1) over seeds; NaN for one run."""
        if len(self.values) < 2:
            return math.nan
        return math.sqrt(sum((value - self.mean) ** 2 for value in self.values) / (len(self.values) - 1))


@dataclasses.dataclass(frozen=True)
class Row:
    """One setting on one part."""

    stats: Mapping[str, Stat]
    images: tuple[int, int]  # fewest and most over the runs
    diverged: int
    degenerate: int
    split: Split = ()  # what decided its images


Summary = Mapping[str, Mapping[str, Row]]  # of one study: part -> setting -> row


def summarise(
    metrics: pd.DataFrame,
    study: str,
    settings: Sequence[str],
    seeds: Sequence[int],
    splits: Mapping[str, Split] = MappingProxyType({}),
) -> Summary:
    """Part -> setting -> row, settings in the given order; a missing run is an error that names it.

    ``splits`` says of each setting which images it was judged on; without them all settings had the same.
    """
    metrics = metrics[metrics["study"] == study]
    result = {}
    for part in ("validation", "test"):
        rows = metrics[metrics["part"] == part]
        if rows.empty and part == "test":
            continue  # the view network's images have no test part
        result[part] = {
            setting: dataclasses.replace(_row(rows, study, setting, part, seeds), split=splits.get(setting, ()))
            for setting in settings
        }
    return result


def _row(rows: pd.DataFrame, study: str, setting: str, part: str, seeds: Sequence[int]) -> Row:
    rows = rows[rows["setting"] == setting].sort_values("seed")
    missing = sorted(set(seeds) - set(rows["seed"]))
    if missing:
        raise CxrbenchError(
            f"study {study} has no {part} metrics of setting {setting}, seed {missing[0]} ({len(rows)} of {len(seeds)}"
            " runs are there); run 'dvc repro' or fetch the result set again"
        )
    rows = rows[rows["seed"].isin(seeds)]
    stats = {name: Stat(tuple(float(value) for value in rows[name])) for name in (*METRICS, *TIMES)}
    images = (int(rows["n"].min()), int(rows["n"].max()))
    return Row(stats, images, int((rows["status"] == "diverged").sum()), int((rows["status"] == "degenerate").sum()))


def by_split(summary: Summary) -> dict[Split, Summary]:
    """The settings of each split as a summary of their own, splits in order of their first setting."""
    splits = dict.fromkeys(row.split for row in summary["validation"].values())
    return {
        split: {
            part: {setting: row for setting, row in rows.items() if row.split == split}
            for part, rows in summary.items()
        }
        for split in splits
    }


def winner(summary: Summary) -> str | None:
    """The setting of highest mean validation accuracy, of lower loss where those tie; None where all diverged.

    Accuracies on different images do not compare, so it is one of the settings that share the first one's split.
    """
    summary = next(iter(by_split(summary).values()))
    finite = {
        setting: (-row.stats["accuracy"].mean, row.stats["loss"].mean)
        for setting, row in summary["validation"].items()
        if math.isfinite(row.stats["accuracy"].mean)
    }
    return min(finite, key=lambda setting: finite[setting]) if finite else None
