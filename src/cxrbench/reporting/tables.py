"""A study's results in the paper's own shape: a row for each setting, a column for each metric.

The same cells become Markdown (reports/tables) and, with every run's point on a strip, the page's tables.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from cxrbench.base.language import N_, _
from cxrbench.evaluation.comparisons import Comparison
from cxrbench.evaluation.summaries import Row, Stat, Summary
from cxrbench.published.papers import Paper
from cxrbench.reporting.text_tables import markdown_rows

COLUMNS = {
    "validation": ("accuracy", "loss", "mse", "first_epoch_seconds", "epoch_seconds"),
    "test": ("accuracy", "precision", "recall", "f1", "auc"),
}
TITLES = {
    "accuracy": N_("Accuracy, %"),
    "precision": N_("Precision, %"),
    "recall": N_("Recall, %"),
    "specificity": N_("Specificity, %"),
    "f1": N_("F1, %"),
    "auc": N_("AUC"),
    "loss": N_("Loss, nats"),
    "mse": N_("MSE"),
    "first_epoch_seconds": N_("First epoch, s"),
    "epoch_seconds": N_("Later epochs, s each"),
}
PERCENT = ("accuracy", "precision", "recall", "specificity", "f1")
DECIMALS = {"auc": 4, "loss": 4, "mse": 4}  # of the others: 2
SELECTION = N_("Every run is shown; no epoch, seed or setting was chosen by test images.")
SPREAD = N_("Mean ± sample SD (n − 1) over seeds, the spread of repeated training and not of patients.")


@dataclasses.dataclass(frozen=True)
class Cell:
    """One setting's metric as shown."""

    text: str  # mean ± SD, or a dash where a run has no value
    published: str  # the paper's figure in the same unit, or empty
    points: tuple[float, ...]  # each run on the column's range: 0 left, 1 right
    marks: tuple[float, ...]  # the published value there
    runs: str  # each run's value as text, for a screen reader


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
    beaten: Mapping[str, tuple[str, str]]  # setting -> P(a new run of the winner beats one of it), its interval

    @property
    def published(self) -> bool:
        """Whether a published value stands beside any of ours."""
        return any(cell.published for cells in self.rows.values() for cell in cells)


def number(metric: str, value: float) -> str:
    """A value as people read it: percent for shares, four decimals for AUC, loss and MSE, else two."""
    if not math.isfinite(value):
        return "–"
    return f"{100 * value if metric in PERCENT else value:.{DECIMALS.get(metric, 2)}f}"


def between(low: str, high: str) -> str:
    """A range from one end to the other, as people read it."""
    return _("{low} to {high}").format(low=low, high=high)


def gap(metric: str, low: float, high: float | None = None) -> str:
    """A difference (or its interval) with sign and unit; times are logarithms and become percent."""
    if "seconds" in metric:
        ends = [100 * math.expm1(end) for end in (low, high) if end is not None]
        unit, decimals = " %", 1
    elif metric in PERCENT:
        ends = [100 * end for end in (low, high) if end is not None]
        unit, decimals = _(" points"), 2
    else:
        ends = [end for end in (low, high) if end is not None]
        unit, decimals = _(" nats") if metric == "loss" else "", 4
    texts = [f"{end:+.{decimals}f}".replace("-", "−") for end in ends]
    return f"[{between(*texts)}]" if high is not None else texts[0] + unit


def build(
    summary: Summary,
    paper: Paper | None,
    differences: Sequence[Comparison],
    beaten: Mapping[str, tuple[str, str]] = MappingProxyType({}),
) -> list[Table]:
    """The tables of one study, one for each part; ``differences`` are to the winner, in test accuracy.

    ``beaten`` says of each setting how often the winner beats it on test, as text.
    """
    tables = []
    for part, rows in summary.items():
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
                f"{fewest:,}" if fewest == most else between(f"{fewest:,}", f"{most:,}"),
                len(next(iter(rows.values())).stats["accuracy"].values),
                metrics,
                {m: (number(m, ranges[m][0]), number(m, ranges[m][1])) for m in metrics},
                {
                    s: tuple(_cell(m, row.stats[m], published[s, m], ranges[m]) for m in metrics)
                    for s, row in rows.items()
                },
                {setting: text for setting, row in rows.items() if (text := _flag(row))},
                {one.contrast.a: difference(one) for one in differences} if part == "test" else {},
                beaten if part == "test" else {},
            )
        )
    return tables


def difference(one: Comparison) -> tuple[str, str]:
    """A comparison as text: the difference and its interval, or why there is none."""
    if not math.isfinite(one.value):
        return "–", one.reason
    return gap(one.contrast.metric, one.value), interval(one)


def interval(one: Comparison) -> str:
    """A comparison's interval and its level: the one at which it was tested."""
    metric = one.contrast.metric
    if one.contrast.b is None:
        ends = f"[{between(number(metric, one.low), number(metric, one.high))}]"
    else:
        ends = gap(metric, one.low, one.high)
    return _("{interval} at {level}").format(interval=ends, level=level(one.confidence))


def level(confidence: float) -> str:
    """A level of confidence, to at most two decimals."""
    return f"{100 * confidence:.2f}".rstrip("0").rstrip(".") + " %"


def markdown(name: str, tables: Sequence[Table], winner: str, source: str) -> str:
    """One study's tables as Markdown, closed by a newline."""
    brackets = _("In brackets: the published value.")
    lines = [f"# {name}", "", source, "", _(SELECTION), _(SPREAD), brackets, "", winner, ""]
    for table in tables:
        heads = [_("Setting"), *(_(TITLES[m]) for m in table.metrics)]
        heads += [_("Accuracy less the winner's")] if table.differences else []
        heads += [_("P(winner beats it)")] if table.beaten else []
        rows = []
        for setting, cells in table.rows.items():
            flag = f" ({table.flags[setting]})" if setting in table.flags else ""
            row = [setting + flag, *(cell.text + (f" ({cell.published})" if cell.published else "") for cell in cells)]
            row += [" ".join(table.differences.get(setting, (_("winner"),)))] if table.differences else []
            row += [" ".join(table.beaten.get(setting, ("–",))).strip()] if table.beaten else []
            rows.append(row)
        title = _("{part} ({images} images, n = {runs} runs a setting)").format(
            part=_(table.part).capitalize(), images=table.images, runs=table.runs
        )
        lines += [f"## {title}", "", markdown_rows(heads, rows, range(1, len(heads)))]
    return "\n".join(lines).rstrip() + "\n"


def _cell(metric: str, stat: Stat, published: tuple | None, span: tuple[float, float]) -> Cell:
    mean = number(metric, stat.mean)
    text = f"{mean} ± {number(metric, stat.sd)}" if math.isfinite(stat.sd) else mean
    runs = ", ".join(number(metric, value) for value in stat.values)
    printed = ""
    if published:
        shift = 2 if metric in PERCENT else 0
        ends = list(dict.fromkeys(f"{end.scaleb(shift):f}" for end in published))
        printed = between(*ends) if len(ends) > 1 else ends[0]
    return Cell(
        text,
        printed,
        tuple(_place(value, span) for value in stat.values if math.isfinite(value)),
        tuple(_place(float(end), span) for end in dict.fromkeys(published or ())),
        runs,
    )


def _flag(row: Row) -> str:
    runs = len(row.stats["accuracy"].values)
    flags = []
    if row.diverged:
        flags.append(_("{count} of {runs} diverged").format(count=row.diverged, runs=runs))
    if row.degenerate:
        flags.append(_("{count} of {runs} call one class only").format(count=row.degenerate, runs=runs))
    return ", ".join(flags)


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
