"""Which part of the spread over seeds is the seed's own, and which is the split's.

On the fixed split the spread over seeds is the seed's alone: starting weights and the order of images. Where each seed
has a split of its own, it is that and the split's: which images train and which test. The split's share of the second
variance is 1 less the ratio of the two, and the ratio of two sample variances follows Fisher's F where the values are
normal. It takes the seed's part on the fixed split for its part on any split.
"""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from cxrbench.evaluation.summaries import Stat, Summary

METRICS = ("accuracy", "auc")
PART = "test"
REDRAW = "redraw"  # the key of a setting


@dataclasses.dataclass(frozen=True)
class Share:
    """The split's share of the variance where the split is redrawn, from 0 to 1, and its interval; NaN: unknown."""

    value: float = math.nan
    low: float = math.nan
    high: float = math.nan


@dataclasses.dataclass(frozen=True)
class Spread:
    """One metric of one setting on test, over redrawn splits and, where it was run there too, over the fixed one."""

    study: str
    setting: str
    metric: str
    redrawn: Stat
    fixed: Stat | None
    share: Share


def spreads(
    settings: Mapping[str, Mapping[str, Mapping[str, Any]]], summaries: Mapping[str, Summary], confidence: float
) -> list[Spread]:
    """Each redrawn setting with test images, once in each study, and each of METRICS.

    ``settings`` are those that were run: study -> label -> every choice by name. A setting's runs on the fixed split
    may be of another study.
    """
    tested = [
        (study, label, choices, summaries[study][PART][label].stats)
        for study, by_label in settings.items()
        for label, choices in by_label.items()
        if PART in summaries.get(study, {})
    ]
    on_fixed = {_but_for_redraw(choices): stats for *_, choices, stats in tested if not choices.get(REDRAW)}
    found = []
    for study, label, choices, stats in tested:
        if not choices.get(REDRAW):
            continue
        others = on_fixed.get(_but_for_redraw(choices))
        for metric in METRICS:
            fixed = others[metric] if others else None
            share = split_share(fixed, stats[metric], confidence) if fixed else Share()
            found.append(Spread(study, label, metric, stats[metric], fixed, share))
    return found


def split_share(fixed: Stat, redrawn: Stat, confidence: float) -> Share:
    """The split's share with an interval of that confidence; unknown where one side has no spread to go by.

    With 3 seeds a side the 95 % interval of the ratio spans a factor of 39 each way (Fisher's F with 2 and 2 degrees
    of freedom), so it says next to nothing; with 10 it is a factor of 4.
    """
    from scipy.special import fdtri

    if not (fixed.sd > 0 and redrawn.sd > 0):  # False for NaN too
        return Share()
    ratio = (fixed.sd / redrawn.sd) ** 2
    freedom = len(fixed.values) - 1, len(redrawn.values) - 1
    tail = (1 - confidence) / 2
    low, high = (1 - ratio / float(fdtri(*freedom, p)) for p in (tail, 1 - tail))
    return Share(max(0.0, 1 - ratio), max(0.0, low), max(0.0, high))


def _but_for_redraw(choices: Mapping[str, Any]) -> str:
    return repr(sorted((name, value) for name, value in choices.items() if name != REDRAW))
