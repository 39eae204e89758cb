"""One study as a section of the page: its question, tables, winner, curves and the paper's gaps."""

import dataclasses
import math
from collections.abc import Mapping, Sequence

import pandas as pd

from cxrbench.evaluation.comparisons import Contrast, Rules, StudyRuns, compare
from cxrbench.evaluation.summaries import Stat, winner
from cxrbench.evaluation.summaries import Study as Summary
from cxrbench.reporting import curves, tables
from cxrbench.reporting.figures import COLOURS, DASHES, line_chart
from cxrbench.reporting.published import Paper, cite


@dataclasses.dataclass(frozen=True)
class Section:
    """What the template shows of one study."""

    name: str
    question: str
    source: str
    setup: str
    tables: Sequence[tables.Table]
    winner: str
    shortcut: str
    charts: Sequence[str]  # SVG elements
    legend: Sequence[tuple[str, int, str]]  # setting, colour, dashes
    paper: Paper | None


def section(
    name: str,
    summary: Summary,
    runs: StudyRuns,
    paper: Paper | None,
    setup: str,
    shortcut: str,
    points: Mapping[str, pd.DataFrame],
    rules: Rules,
) -> Section:
    """``points`` holds the tidy tables 'learning-curves' and 'roc'; ``shortcut`` is a sentence or empty."""
    settings = list(summary["validation"])
    best = winner(summary)
    pairs = []
    if best and "test" in summary:
        zone = (-rules.margin, rules.margin)
        pairs = [Contrast("accuracy", "test", setting, best, zone) for setting in settings if setting != best]
    return Section(
        name,
        paper.question if paper else f"How do these settings compare: {', '.join(settings)}?",
        cite(paper.citation) if paper else "No paper: a question of our own.",
        setup,
        tables.build(summary, paper, compare(runs, pairs, rules)),
        winner_sentence(summary, best),
        shortcut,
        _charts(name, settings, points),
        [(setting, i % len(COLOURS), DASHES[i % len(DASHES)]) for i, setting in enumerate(settings)],
        paper,
    )


def winner_sentence(summary: Summary, best: str | None) -> str:
    """Who won on validation, by what, and what that setting reaches on test."""
    if best is None:
        return "No setting has a winner's mean: in each, at least one run diverged."
    validation = _stat(summary["validation"][best].stats["accuracy"])
    if len(summary["validation"]) == 1:
        sentence = f"The one setting reaches a validation accuracy of {validation}"
    else:
        sentence = f"Named on validation: {best}, with the highest mean accuracy there, {validation}"
    if "test" not in summary:
        return f"{sentence}; its images have no test part."
    return f"{sentence}; its test accuracy is {_stat(summary['test'][best].stats['accuracy'])}."


def _stat(stat: Stat) -> str:
    spread = f" ± {tables.number('accuracy', stat.sd)}" if math.isfinite(stat.sd) else ""
    return f"{tables.number('accuracy', stat.mean)}{spread} %"


def _charts(name: str, settings: list[str], points: Mapping[str, pd.DataFrame]) -> list[str]:
    learning, roc = points["learning-curves"], points["roc"]
    part = "".join(roc.loc[roc["study"] == name, "part"].unique()[:1]) or "test"
    return [
        line_chart(curves.lines(learning, name, settings, "epoch", "loss"), "Training loss", "epoch", "loss"),
        line_chart(
            curves.lines(learning, name, settings, "epoch", "val_accuracy"), "Validation accuracy", "epoch", "accuracy"
        ),
        line_chart(
            curves.lines(roc, name, settings, "false_positive_rate", "true_positive_rate"),
            f"ROC, {part}",
            "1 − specificity",
            "sensitivity",
            roc=True,
        ),
    ]
