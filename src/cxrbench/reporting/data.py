"""The data behind the figures, as small tables of text: images, leaks, shortcuts, rejects, checks."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from cxrbench.evaluation.shortcuts import FEATURES
from cxrbench.manifest import PARTS, PROTOCOLS


@dataclasses.dataclass(frozen=True)
class Plain:
    """A table of words and numbers; ``numeric`` is the first column that holds numbers."""

    title: str
    note: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    numeric: int


def images(assignment: pd.DataFrame) -> Plain:
    rows = []
    for cohort, found in assignment.groupby("cohort", sort=False):
        for protocol in PROTOCOLS:
            counts = found.groupby([protocol, "label"]).size()
            for label in found.sort_values("target")["label"].unique():
                numbers = [int(counts.get((part, label), 0)) for part in PARTS]
                rows.append([str(cohort), protocol, label, *(f"{n:,}" for n in numbers)])
    note = "Images by class in each part, for each way of dividing them."
    return Plain("Images", note, ("Cohort", "Protocol", "Class", "Train", "Validation", "Test"), rows, 3)


def leaks(found: pd.DataFrame) -> Plain:
    columns = ["cohort", "protocol", "kind", "part_a", "part_b", "groups", "images", "examples"]
    rows = [[f"{x:,}" if isinstance(x, int) else str(x) for x in row] for row in found[columns].values.tolist()]
    heads = ("Cohort", "Protocol", "What is shared", "Part", "And part", "Shared", "Images", "Examples")
    note = "Patients, or identical files, that stand in two parts of one protocol; images counts the second part's."
    return Plain("Leaks", note, heads, rows, 9)


def shortcuts(found: pd.DataFrame) -> Plain:
    rows = [
        [row["cohort"], row["protocol"], f"{row['n']:,}", *(f"{row[name]:.3f}" for name in FEATURES)]
        for row in found.to_dict("records")
    ]
    heads = ("Cohort", "Protocol", "Test images", *(f"AUC of {name}" for name in FEATURES))
    note = "What a file's size and shape alone would reach on test, their direction taken from the training images."
    return Plain("Shortcuts", note, heads, rows, 2)


def rejects(found: pd.DataFrame) -> Plain:
    counts = found.groupby(["cohort", "reason"], sort=True).size()
    rows = [[str(cohort), str(reason), f"{n:,}"] for (cohort, reason), n in counts.items()]
    return Plain("Rejected files", "Files that could not be used.", ("Cohort", "Reason", "Files"), rows, 2)


def checks(verdict: Mapping[str, Any]) -> Plain:
    failed = [one for one in verdict.get("outcomes", []) if not one["passed"]]
    rows = [[one["severity"], one["table"], one["check"], f"{one['rows']:,}"] for one in failed]
    note = (
        f"{verdict.get('checks', 0)} checks: {verdict.get('critical_failures', 0)} critical failures,"
        f" {verdict.get('warnings', 0)} warnings. Rows counts those that fail."
    )
    return Plain("Checks", note, ("Severity", "Table", "Check", "Rows"), rows, 3)


def view_filter(metrics: Mapping[str, Any]) -> Plain:
    rows = [[str(name).replace("_", " "), _text(value)] for name, value in metrics.items()]
    return Plain("View filter", "How frontal images were told from lateral ones.", ("Figure", "Value"), rows, 1)


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_text(one)}" for name, one in value.items())
    if isinstance(value, float):
        return f"{value:.4g}"
    return "–" if value is None else str(value)
