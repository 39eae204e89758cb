"""A study's line charts, each with its caption and the same numbers as a table: learning, ROC, precision, reliability.

A line is the mean of a setting's runs, the band goes from its lowest run to its highest. Runs whose scores are not
finite have no curve; the caption names them.
"""

import dataclasses
import math
import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from cxrbench.base.language import _
from cxrbench.evaluation import seed_bands
from cxrbench.evaluation.comparisons import StudyRuns
from cxrbench.evaluation.resampling import Scores
from cxrbench.evaluation.seed_bands import Band
from cxrbench.reporting.figures import Drawing, Line, line_chart
from cxrbench.reporting.tables import between

EPOCHS_SHOWN = 12  # rows of a table of learning curves
SPECIFICITIES = (80, 90, 95, 99)  # percent, in the table of ROC curves
RECALLS = (50, 80, 90, 95, 99)  # percent, in the table of precision-recall curves

Cell = tuple[str, str]  # what a cell says, and what stands small below it


@dataclasses.dataclass(frozen=True)
class DataTable:
    """The numbers of a chart."""

    caption: str
    runs: str  # of a setting
    heads: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Cell]]]  # the row's head, its cells


@dataclasses.dataclass(frozen=True)
class Chart:
    """One chart as the page shows it."""

    title: str
    caption: str
    svg: str
    table: DataTable


def part_of(runs: StudyRuns) -> str:
    """The part that the curves of a study are drawn on: test, or validation where a run has no test images."""
    return "test" if all("test" in run.scores for of_setting in runs.values() for run in of_setting) else "validation"


def study_charts(name: str, settings: Sequence[str], runs: StudyRuns, learning: pd.DataFrame) -> list[Chart]:
    """The charts of study ``name``, its settings in their order; ``learning`` is the table 'learning-curves'."""
    part = part_of(runs)
    scores = {label: [run.scores[part] for run in runs[label]] for label in settings}
    of_study = learning[learning["study"] == name]
    shown = (_learning(name, "loss", settings, of_study), _learning(name, "val_accuracy", settings, of_study))
    return [*shown, _roc(name, part, scores), _precision_recall(name, part, scores), _reliability(name, part, scores)]


def chart_id(study: str, kind: str) -> str:
    """An id that no other chart of the page has, whatever letters the study's name holds."""
    return f"chart-{re.sub(r'[^A-Za-z0-9]', lambda found: f'-{ord(found[0]):x}', study)}_{kind}"


def _learning(name: str, column: str, settings: Sequence[str], points: pd.DataFrame) -> Chart:
    title, y_label = {
        "loss": (_("Training loss by epoch"), _("loss")),
        "val_accuracy": (_("Validation accuracy by epoch"), _("accuracy")),
    }[column]
    bands, runs = {}, {}
    for label in settings:
        table = points[points["setting"] == label].pivot(index="epoch", columns="seed", values=column).sort_index()
        bands[label] = seed_bands.over_runs(table.index.to_numpy(dtype="float64"), table.to_numpy(dtype="float64").T)
        runs[label] = table.shape[1]
    note = {
        "loss": _("Losses of different loss functions are not on one scale."),
        "val_accuracy": _("The share of validation images called rightly, after each epoch."),
    }[column]
    drawing = Drawing(chart_id(name, column), title, _lines(bands), _("epoch"), y_label)
    return _chart(drawing, [_what_lines_are(_n(runs.values())), note], _by_place(title, _("Epoch"), bands, runs))


def _roc(name: str, part: str, scores: Mapping[str, Sequence[Scores]]) -> Chart:
    title = _("ROC on {part}").format(part=_(part))
    bands = {label: seed_bands.roc(runs) for label, runs in scores.items()}
    rates = np.array([1 - specificity / 100 for specificity in SPECIFICITIES]).round(2)
    points = {label: seed_bands.roc(runs, rates) for label, runs in scores.items()}
    table = _by_setting(
        _("Sensitivity at a given specificity, %: mean of the runs, lowest to highest run."),
        [_("Specificity {percent} %").format(percent=percent) for percent in SPECIFICITIES],
        points,
        scores,
    )
    drawing = Drawing(
        chart_id(name, "roc"), title, _lines(bands), _("1 − specificity"), _("sensitivity"), True, ((0, 1), (0, 1))
    )
    note = _("Grey: guessing.")
    return _chart(drawing, [_what_lines_are(_n(map(len, scores.values()))), note, *_images(scores)], table)


def _precision_recall(name: str, part: str, scores: Mapping[str, Sequence[Scores]]) -> Chart:
    title = _("Precision and recall on {part}").format(part=_(part))
    bands = {label: seed_bands.precision_recall(runs) for label, runs in scores.items()}
    recalls = np.array(RECALLS) / 100
    points = {label: seed_bands.precision_recall(runs, recalls) for label, runs in scores.items()}
    table = _by_setting(
        _("Precision at the highest threshold that reaches a recall, %: mean of the runs, lowest to highest run."),
        [_("Recall {percent} %").format(percent=percent) for percent in RECALLS],
        points,
        scores,
    )
    shares = {float(np.mean(one.target == 1)) for runs in scores.values() for one in runs}
    guessing = ((0, 1), (max(shares), max(shares))) if len(shares) == 1 else ()
    notes = [_("Grey: guessing.")] if guessing else []
    drawing = Drawing(chart_id(name, "precision"), title, _lines(bands), _("recall"), _("precision"), True, guessing)
    return _chart(drawing, [_what_lines_are(_n(map(len, scores.values()))), *notes, *_images(scores)], table)


def _reliability(name: str, part: str, scores: Mapping[str, Sequence[Scores]]) -> Chart:
    title = _("Reliability on {part}").format(part=_(part))
    bands = {label: seed_bands.reliability_band(runs) for label, runs in scores.items()}
    bins = max((len(band.x) for band in bands.values()), default=0)
    rows = []
    for i in range(bins):
        cells = [
            _cell(band, i, len(scores[label]), 1, f"{band.x[i]:.3f} → ") if i < len(band.x) else ("–", "")
            for label, band in bands.items()
        ]
        rows.append((str(i + 1), cells))
    table = DataTable(
        _(
            "Mean score → share of ones, in bins of nearly equal numbers of images; below it the lowest to the highest"
            " run."
        ),
        _n(map(len, scores.values())),
        [_("Bin"), *bands],
        rows,
    )
    drawing = Drawing(
        chart_id(name, "reliability"), title, _lines(bands), _("mean score"), _("share of ones"), True,
        ((0, 1), (0, 1)), True,
    )  # fmt: skip
    what = _(
        "Dots: bins of nearly equal numbers of the images of all n = {n} runs of a setting; band: lowest to highest run"
        " in the bin. Grey: scores that mean what they say."
    ).format(n=_n(map(len, scores.values())))
    return _chart(drawing, [what, *_images(scores)], table)


def _chart(drawing: Drawing, caption: Sequence[str], table: DataTable) -> Chart:
    text = " ".join(caption)
    described = _("{caption} Across: {x}; up: {y}. The table below it holds the numbers.").format(
        caption=text, x=drawing.x_label, y=drawing.y_label
    )
    return Chart(drawing.title, text, line_chart(drawing, described), table)


def _lines(bands: Mapping[str, Band]) -> list[Line]:
    return [Line(style, band) for style, band in enumerate(bands.values())]


def _what_lines_are(n: str) -> str:
    return _("Line: mean of n = {n} runs a setting; band: lowest to highest run.").format(n=n)


def _n(counts: Iterable[int]) -> str:
    """One number where all settings have it, else the least and the most."""
    found = sorted(set(counts))
    return _range(found) if found else "0"


def _range(found: Sequence[int]) -> str:
    least, most = f"{found[0]:,}", f"{found[-1]:,}"
    return least if least == most else between(least, most)


def _images(scores: Mapping[str, Sequence[Scores]]) -> list[str]:
    """How many images the runs scored, and which runs have no curve."""
    counts = sorted({len(one.score) for runs in scores.values() for one in runs})
    gone = {label: sum(not np.isfinite(one.score).all() for one in runs) for label, runs in scores.items()}
    names = ", ".join(f"{label} ({count}/{len(scores[label])})" for label, count in gone.items() if count)
    sentences = [_("Images: {images}.").format(images=_range(counts))]
    return [*sentences, *([_("Diverged and not drawn: {runs}.").format(runs=names)] if names else [])]


def _by_place(title: str, head: str, bands: Mapping[str, Band], runs: Mapping[str, int]) -> DataTable:
    """A row a place, at most EPOCHS_SHOWN of them; a column a setting."""
    places = np.unique(np.concatenate([band.x for band in bands.values()]))
    chosen = np.unique(np.linspace(0, len(places) - 1, min(len(places), EPOCHS_SHOWN)).round().astype("int64"))
    rows = []
    for place in places[chosen]:
        cells = []
        for label, band in bands.items():
            found = np.flatnonzero(band.x == place)
            cells.append(_cell(band, int(found[0]), runs[label], 1) if len(found) else ("–", ""))
        rows.append((f"{place:g}", cells))
    caption = _("{title}: mean of the runs, below it the lowest to the highest run.").format(title=title)
    return DataTable(caption, _n(runs.values()), [head, *bands], rows)


def _by_setting(
    caption: str, heads: Sequence[str], points: Mapping[str, Band], scores: Mapping[str, Sequence[Scores]]
) -> DataTable:
    """A row a setting, a column a point."""
    rows = [
        (label, [_cell(band, i, len(scores[label]), 100) for i in range(len(band.x))]) for label, band in points.items()
    ]
    return DataTable(caption, _n(map(len, scores.values())), [_("Setting"), *heads], rows)


def _cell(band: Band, i: int, runs: int, scale: int, before: str = "") -> Cell:
    """Mean, and lowest to highest run, of a band's place; in percent where ``scale`` is 100."""
    if not math.isfinite(band.mean[i]):
        return "–", ""
    mean, low, high = (_number(values[i], scale) for values in (band.mean, band.low, band.high))
    spread = between(low, high) if band.runs[i] > 1 else ""
    few = _("n = {n}").format(n=int(band.runs[i])) if band.runs[i] < runs else ""
    return before + mean, ", ".join(filter(None, (spread, few)))


def _number(value: float, scale: int) -> str:
    if scale == 100:
        return f"{100 * value:.1f}"
    return f"{value:.3f}" if 1e-3 <= abs(value) < 1000 or value == 0 else f"{value:.2g}"
