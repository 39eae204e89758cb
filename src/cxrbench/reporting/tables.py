"""A study's results in the paper's own shape: a row for each setting, a column for each metric.

The same cells become Markdown (reports/tables) and, with every run's point on a strip, the page's tables.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence

from cxrbench.evaluation.comparisons import Comparison
from cxrbench.evaluation.summaries import Row, Stat, Study
from cxrbench.reporting.published import Paper

COLUMNS = {
    "validation": ("accuracy", "loss", "mse", "first_epoch_seconds", "epoch_seconds"),
    "test": ("accuracy", "precision", "recall", "f1", "auc"),
}
TITLES = {
    "accuracy": "Accuracy, %",
    "precision": "Precision, %",
    "recall": "Recall, %",
    "specificity": "Specificity, %",
    "f1": "F1, %",
    "auc": "AUC",
    "loss": "Loss, nats",
    "mse": "MSE",
    "first_epoch_seconds": "First epoch, s",
    "epoch_seconds": "Later epochs, s each",
}
PERCENT = ("accuracy", "precision", "recall", "specificity", "f1")
DECIMALS = {"auc": 4, "loss": 4, "mse": 4}  # of the others: 2
SELECTION = "Every run is shown; no epoch, seed or setting was chosen by test images."
SPREAD = "Mean ± sample SD (n − 1) over seeds, the spread of repeated training and not of patients."


@dataclasses.dataclass(frozen=True)
class Cell:
    """One setting's metric as shown."""

    text: str  # mean ± SD, or a dash where a run has no value
    published: str  # the paper's figure in the same unit, or empty
    points: tuple[float, ...]  # each run on the column's range: 0 left, 1 right
    marks: tuple[float, ...]  # the published value there
    told: str  # each run's value in words, for a screen reader


@dataclasses.dataclass(frozen=True)
class Table:
    """One part of one study, ready to be written."""

    part: str
    images: str
    runs: int
    metrics: tuple[str, ...]
    ranges: Mapping[str, tuple[str, str]]  # metric -> the ends of its strip
    rows: Mapping[str, tuple[Cell, ...]]
    flags: Mapping[str, str]
    differences: Mapping[str, tuple[str, str]]  # setting -> test accuracy less the winner's, its interval

    @property
    def published(self) -> bool:
        """Whether a published value stands beside any of ours."""
        return any(cell.published for cells in self.rows.values() for cell in cells)


def number(metric: str, value: float) -> str:
    """A value as people read it: percent for shares, four decimals for AUC, loss and MSE, else two."""
    if not math.isfinite(value):
        return "–"
    return f"{100 * value if metric in PERCENT else value:.{DECIMALS.get(metric, 2)}f}"


def gap(metric: str, low: float, high: float | None = None) -> str:
    """A difference (or its interval) with sign and unit; times are logarithms and become percent."""
    if "seconds" in metric:
        ends = [100 * math.expm1(end) for end in (low, high) if end is not None]
        unit, decimals = " %", 1
    elif metric in PERCENT:
        ends = [100 * end for end in (low, high) if end is not None]
        unit, decimals = " points", 2
    else:
        ends = [end for end in (low, high) if end is not None]
        unit, decimals = " nats" if metric == "loss" else "", 4
    text = " to ".join(f"{end:+.{decimals}f}".replace("-", "−") for end in ends)
    return f"[{text}]" if high is not None else text + unit


def build(study: Study, paper: Paper | None, differences: Sequence[Comparison]) -> list[Table]:
    """The tables of one study, one for each part; ``differences`` are to the winner, in test accuracy."""
    tables = []
    for part, rows in study.items():
        metrics = COLUMNS[part]
        published = {
            (setting, metric): paper.figure(part, setting, metric) if paper else None
            for setting in rows
            for metric in metrics
        }
        ranges = {m: _range([*_values(rows, m), *_marks(published, rows, m)]) for m in metrics}
        fewest, most = min(row.images[0] for row in rows.values()), max(row.images[1] for row in rows.values())
        tables.append(
            Table(
                part,
                f"{fewest:,}" if fewest == most else f"{fewest:,} to {most:,}",
                len(next(iter(rows.values())).stats["accuracy"].values),
                metrics,
                {m: (number(m, ranges[m][0]), number(m, ranges[m][1])) for m in metrics},
                {
                    s: tuple(_cell(m, row.stats[m], published[s, m], ranges[m]) for m in metrics)
                    for s, row in rows.items()
                },
                {setting: text for setting, row in rows.items() if (text := _flag(row))},
                {one.contrast.a: difference(one) for one in differences} if part == "test" else {},
            )
        )
    return tables


def difference(one: Comparison) -> tuple[str, str]:
    """A comparison in words: the difference and its interval, or why there is none."""
    if one.value != one.value:
        return "–", one.reason
    return gap(one.contrast.metric, one.value), gap(one.contrast.metric, one.low, one.high)


def markdown(name: str, tables: Sequence[Table], winner: str, source: str) -> str:
    """One study's tables as Markdown, closed by a newline."""
    lines = [f"# {name}", "", source, "", SELECTION, SPREAD, "In brackets: the published value.", "", winner, ""]
    for table in tables:
        heads = ["Setting", *(TITLES[m] for m in table.metrics)]
        heads += ["Accuracy less the winner's"] if table.differences else []
        lines += [f"## {table.part.capitalize()} ({table.images} images, n = {table.runs} runs a setting)", ""]
        lines += [f"| {' | '.join(heads)} |", f"| --- {'| ---: ' * (len(heads) - 1)}|"]
        for setting, cells in table.rows.items():
            shown = [cell.text + (f" ({cell.published})" if cell.published else "") for cell in cells]
            shown += [" ".join(table.differences.get(setting, ("winner",)))] if table.differences else []
            flag = f" ({table.flags[setting]})" if setting in table.flags else ""
            lines.append(f"| {setting}{flag} | {' | '.join(shown)} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _cell(metric: str, stat: Stat, published: tuple | None, span: tuple[float, float]) -> Cell:
    mean = number(metric, stat.mean)
    text = f"{mean} ± {number(metric, stat.sd)}" if math.isfinite(stat.sd) else mean
    told = ", ".join(number(metric, value) for value in stat.values)
    printed = ""
    if published:
        shift = 2 if metric in PERCENT else 0
        printed = " to ".join(dict.fromkeys(f"{end.scaleb(shift):f}" for end in published))
    return Cell(
        text,
        printed,
        tuple(_place(value, span) for value in stat.values if math.isfinite(value)),
        tuple(_place(float(end), span) for end in dict.fromkeys(published or ())),
        told,
    )


def _flag(row: Row) -> str:
    runs = len(row.stats["accuracy"].values)
    told = [f"{row.diverged} of {runs} diverged"] if row.diverged else []
    return ", ".join(told + ([f"{row.degenerate} of {runs} call one class only"] if row.degenerate else []))


def _values(rows: Mapping[str, Row], metric: str) -> list[float]:
    return [value for row in rows.values() for value in row.stats[metric].values if math.isfinite(value)]


def _marks(published: Mapping, rows: Mapping[str, Row], metric: str) -> list[float]:
    # A published time comes from another machine: it would only squeeze ours on the strip.
    if "seconds" in metric:
        return []
    return [float(end) for setting in rows for end in published[setting, metric] or ()]


def _range(values: list[float]) -> tuple[float, float]:
    return (min(values), max(values)) if values else (math.nan, math.nan)


def _place(value: float, span: tuple[float, float]) -> float:
    return (value - span[0]) / (span[1] - span[0]) if span[1] > span[0] else 0.5
