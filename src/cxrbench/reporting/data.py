"""The data behind the figures, as small tables of text: images, shortcuts, rejects, checks, the view filter."""

import dataclasses
import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pandas as pd

from cxrbench.base.tables import PARTS, PROTOCOLS

STRONG = 0.75  # an AUC above this, or as far below a half, is marked


@dataclasses.dataclass(frozen=True)
class Plain:
    """A table of words and numbers; columns from ``numeric`` to before ``text_after`` hold numbers.

    A cell of several lines shows all but the first in small.
    """

    title: str
    note: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    numeric: int
    text_after: int = 99
    marked: Collection[tuple[int, int]] = ()  # row and column of cells to be shown in bold


def images(assignment: pd.DataFrame) -> Plain:
    rows = []
    for cohort, found in assignment.groupby("cohort", sort=False):
        labels = found.sort_values("target")["label"].unique()
        for protocol in PROTOCOLS:
            counts = found.groupby([protocol, "label"]).size()
            cells = [" + ".join(f"{counts.get((part, label), 0):,}" for label in labels) for part in PARTS]
            rows.append([str(cohort), protocol, " + ".join(labels), *cells])
    note = "Images by class in each part, for each way of dividing them."
    return Plain("Images", note, ("Cohort", "Protocol", "Classes", "Train", "Validation", "Test"), rows, 3)


def shortcuts(found: pd.DataFrame) -> Plain:
    """The table 'shortcuts', a column a feature; a strong one is marked."""
    features = list(found["feature"].unique())
    rows: list[list[str]] = []
    marked: list[tuple[int, int]] = []
    for (cohort, protocol), group in found.groupby(["cohort", "protocol"], sort=False):
        aucs = group.set_index("feature")["auc"].reindex(features)
        marked += [(len(rows), 3 + i) for i, auc in enumerate(aucs) if auc > STRONG or auc < 1 - STRONG]
        cells = [f"{auc:.3f}" if auc == auc else "–" for auc in aucs]
        rows.append([str(cohort), str(protocol), f"{group['n'].max():,}", *cells])
    heads = ("Cohort", "Protocol", "Test images", *(name.capitalize() for name in features))
    note = (
        "The AUC on test that each feature of a file reaches alone, no image looked at, its direction taken from the"
        f" training images. Bold: above {STRONG} or below {1 - STRONG}; below a half, the shortcut turns round on test."
    )
    return Plain("Shortcuts", note, heads, rows, 2, marked=marked)


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


def view_filter(metrics: Mapping[str, Any]) -> list[Plain]:
    """The view filter's metrics.json: its plain figures, then a table for each figure that is counted by seed."""
    rows, by_seed = [], []
    for name, value in metrics.items():
        title = _spaced(name)
        of_seed = value if isinstance(value, Mapping) else dict(enumerate(value)) if isinstance(value, list) else {}
        if of_seed and all(isinstance(counts, Mapping) for counts in of_seed.values()):
            heads = list(dict.fromkeys(key for counts in of_seed.values() for key in counts))
            lines = [
                [_spaced(seed).removeprefix("seed "), *(_text(counts.get(key)) for key in heads)]
                for seed, counts in of_seed.items()
            ]
            shown = ("Seed", *(_spaced(key).capitalize() for key in heads))
            by_seed.append(Plain(f"View filter: {title}", "A row a trained network.", shown, lines, 1))
        else:
            rows.append([title, _text(value)])
    note = "How frontal images were told from lateral ones."
    return [Plain("View filter", note, ("Figure", "Value"), rows, 1), *by_seed]


def _spaced(name: object) -> str:
    return str(name).replace("_", " ")


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_text(one)}" for name, one in value.items())
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}" if math.isfinite(value) else "–"
    if isinstance(value, list):
        return ", ".join(_text(one) for one in value)
    return "–" if value is None else str(value)
