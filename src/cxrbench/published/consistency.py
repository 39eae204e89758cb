"""Can a paper's table be true of itself? Printed figures that no runs can have, alone or beside others of their row."""

import contextlib
import dataclasses
import functools
import itertools
from collections.abc import Mapping, Sequence

from cxrbench.base.language import _
from cxrbench.published.counts import Images, TooMany, nearest, possible
from cxrbench.published.figures import Figure
from cxrbench.published.papers import Table


@dataclasses.dataclass(frozen=True)
class Impossible:
    """Figures of one row that no runs have together, none of which could be left out; alone where it is one."""

    table: Table
    row: str
    figures: Mapping[str, Figure]  # metric -> as printed
    nearest: Mapping[str, str]  # metric -> what it could be beside the others, printed alike; '': nothing, or unknown
    cut: bool  # possible if further digits were cut off instead of rounded


@dataclasses.dataclass(frozen=True)
class Checked:
    """What was found in a paper's tables."""

    impossible: tuple[Impossible, ...]
    figures: int  # that were checked
    undecided: tuple[tuple[str, str, tuple[str, ...]], ...]  # table, row and metrics with too many counts to search


def check(tables: Sequence[Table]) -> Checked:
    """Checks every row whose table says on how many images, in the metrics that follow from counts."""
    found: list[Impossible] = []
    undecided: list[tuple[str, str, tuple[str, ...]]] = []
    count = 0
    for table in tables:
        for name, row in table.rows.items():
            if table.images is None:
                continue
            figures = {metric: row[metric][0] for metric in table.images.metrics if len(set(row.get(metric, ()))) == 1}
            if not figures:
                continue
            count += len(figures)
            for metrics, sure in _smallest(table.images, tuple(figures.items())):
                if sure:
                    found.append(_impossible(table, name, {metric: figures[metric] for metric in metrics}))
                else:
                    undecided.append((table.name, name, metrics))
    return Checked(tuple(found), count, tuple(undecided))


@functools.cache  # seconds for a row that can't be
def _smallest(images: Images, row: tuple[tuple[str, Figure], ...]) -> list[tuple[tuple[str, ...], bool]]:
    """The sets of metrics that are impossible, and no smaller set in them is; with False, those not searched whole."""
    ranges = {metric: figure.rounded_from for metric, figure in row}
    with contextlib.suppress(TooMany):
        if possible(images, ranges):
            return []
    told: list[set[str]] = []
    found: list[tuple[tuple[str, ...], bool]] = []
    for size in range(1, len(ranges) + 1):
        for metrics in itertools.combinations(ranges, size):
            if any(smaller <= set(metrics) for smaller in told):
                continue
            try:
                if not possible(images, {metric: ranges[metric] for metric in metrics}):
                    told.append(set(metrics))
                    found.append((metrics, True))
            except TooMany:
                found.append((metrics, False))
    return found


def _impossible(table: Table, row: str, figures: Mapping[str, Figure]) -> Impossible:
    assert table.images is not None
    could_be = {}
    for metric, figure in figures.items():
        others = {name: other.rounded_from for name, other in figures.items() if name != metric}
        try:
            value = nearest(table.images, others, metric, figure.value)
        except TooMany:
            value = None
        could_be[metric] = "" if value is None else figure.print(value)
    try:
        cut = possible(table.images, {metric: figure.cut_from for metric, figure in figures.items()})
    except TooMany:
        cut = False
    return Impossible(table, row, figures, could_be, cut)


def sentence(one: Impossible) -> str:
    """The finding for a reader."""
    images = one.table.images
    assert images is not None
    both = images.negative + images.positive
    count = f"{images.negative:,} + {images.positive:,}" if images.divided else f"{both:,}"
    of = _("{count} images").format(count=count)
    if images.runs > 1:
        of = _("{runs} runs on {count} images").format(runs=images.runs, count=count)
    told = [f"{_(metric)} {figure.printed}" for metric, figure in one.figures.items()]
    could = [f"{_(metric)} {text}" for metric, text in one.nearest.items() if text]
    values = {"table": _(one.table.name), "row": one.row, "images": of}
    if len(told) == 1:
        values |= {"figure": told[0], "nearest": next(iter(one.nearest.values()))}
        told_of = _("{table}, {row}: {figure} cannot come from {images}; the nearest is {nearest}{more}.")
        if not could:  # it took too long to look for
            told_of = _("{table}, {row}: {figure} cannot come from {images}{more}.")
        return told_of.format(**values, more=_cut(one))
    values |= {"figures": ", ".join(told[:-1]), "last": told[-1]}
    told_of = _("{table}, {row}: {figures} and {last} cannot all come from {images}{more}.")
    rest = _("; possible beside the others would be {figures}").format(figures=_(" or ").join(could)) if could else ""
    return told_of.format(**values, more=rest + _cut(one))


def _cut(one: Impossible) -> str:
    return _("; possible only if digits were cut off, not rounded") if one.cut else ""
