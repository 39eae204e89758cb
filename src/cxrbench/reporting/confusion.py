"""Confusion matrices: how many images of each class a setting's runs call what, as a mean over its runs."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cxrbench.base.language import _
from cxrbench.evaluation.comparisons import StudyRuns
from cxrbench.evaluation.metrics import THRESHOLD
from cxrbench.evaluation.resampling import Scores
from cxrbench.evaluation.summaries import Summary, winner

Names = tuple[str, str]  # of class 0 and class 1


@dataclasses.dataclass(frozen=True)
class Count:
    """One cell: images, over the runs of a setting."""

    mean: str
    spread: str  # lowest and highest run
    percent: int  # of the images of this class, rounded: how dark the cell is


@dataclasses.dataclass(frozen=True)
class Confusion:
    """One setting's matrix; empty ``rows`` where every run diverged."""

    setting: str
    names: Names
    runs: int
    diverged: int
    rows: Sequence[tuple[str, int, Sequence[Count]]]  # a class, its images, what they are called in order of ``names``


def class_names(assignment: pd.DataFrame) -> dict[str, Names]:
    """Cohort -> the names of its classes, from the table 'assignment'."""
    found: dict[str, Names] = {}
    for cohort, images in assignment.groupby("cohort", sort=False):
        labels = [" / ".join(images.loc[images["target"] == target, "label"].unique()) for target in (0, 1)]
        found[str(cohort)] = (labels[0] or "0", labels[1] or "1")
    return found


def names_of(settings: Mapping[str, Mapping[str, Any]], classes: Mapping[str, Names]) -> dict[str, Names]:
    """Setting -> the names of its cohort's classes; ``settings`` are a study's settings that were run, by label."""
    return {label: classes.get(str(setting["cohort"]), ("0", "1")) for label, setting in settings.items()}


def note(runs: StudyRuns) -> str:
    """What the matrices of a study show; ``runs`` are all of them."""
    counts = sorted({len(of_setting) for of_setting in runs.values()})
    n = " / ".join(f"{count:,}" for count in counts)
    return _(
        "Rows: the class of an image; columns: what it is called, at a threshold of {threshold:g}. Each number is a"
        " mean over the n = {n} runs of a setting, below it the lowest and the highest run; the stronger the colour,"
        " the larger the share of the row."
    ).format(threshold=THRESHOLD, n=n)


def counts(scores: Scores) -> np.ndarray:
    """Images by class and by what they are called, (2, 2) of one run: [1, 0] are those of class 1 called 0."""
    called = scores.score >= THRESHOLD
    return np.array([[np.sum((scores.target == a) & (called == b)) for b in (0, 1)] for a in (0, 1)])


def mean_counts(runs: Sequence[Scores]) -> np.ndarray | None:
    """The counts of every run that did not diverge, (runs, 2, 2); None where there is none."""
    found = [counts(one) for one in runs if np.isfinite(one.score).all()]
    return np.stack(found) if found else None


def matrices(part: str, runs: StudyRuns, names: Mapping[str, Names]) -> list[Confusion]:
    """Each setting's matrix on ``part``; ``names`` are by setting, in their order."""
    return [_matrix(label, [run.scores[part] for run in runs[label]], of) for label, of in names.items()]


def _matrix(setting: str, scores: Sequence[Scores], names: Names) -> Confusion:
    found = mean_counts(scores)
    if found is None:
        return Confusion(setting, names, len(scores), len(scores), ())
    rows = []
    for actual in (0, 1):
        images = int(found[0, actual].sum())
        cells = []
        for called in (0, 1):
            of_runs = found[:, actual, called]
            low, high = of_runs.min(), of_runs.max()
            spread = f"{low:,}–{high:,}" if len(of_runs) > 1 else ""
            mean = float(of_runs.mean())
            text = f"{mean:,.0f}" if mean == round(mean) else f"{mean:,.1f}"
            cells.append(Count(text, spread, round(100 * mean / max(images, 1))))
        rows.append((names[actual], images, cells))
    return Confusion(setting, names, len(scores), len(scores) - len(found), rows)


def winners_table(
    summaries: Mapping[str, Summary], runs: Mapping[str, StudyRuns], names: Mapping[str, Mapping[str, Names]]
) -> pd.DataFrame:
    """Four rows a study: the mean counts of its winner on validation, there; for `dvc plots`. ``names``: by study,
    setting."""
    rows = []
    for study, summary in summaries.items():
        best = winner(summary)
        found = mean_counts([run.scores["validation"] for run in runs[study][best]]) if best else None
        if best is None or found is None:
            continue
        of = names[study][best]
        rows += [
            (study, best, of[actual], of[called], float(found[:, actual, called].mean()))
            for actual in (0, 1)
            for called in (0, 1)
        ]
    return pd.DataFrame(rows, columns=["study", "setting", "actual", "predicted", "images"])
