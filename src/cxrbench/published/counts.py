"""Whether printed figures can come from runs at all: exact search over the counts that lie behind a row of a table.

A run on n0 negative and n1 positive images has 0 to n1 true and 0 to n0 false positives, and accuracy, recall,
specificity, precision and F1 follow from the two. A row of a table prints them for one run, or their means over runs
on the same images. The search walks over all counts that the figures leave, so that 'impossible' is a proof; where
they leave more than MOST_WORK it says so instead. No kept library does it for means of precision and F1 (GRIM, Brown &
Heathers 2017, is the idea, for means of whole numbers).
"""

import dataclasses
from collections.abc import Iterator, Mapping
from fractions import Fraction

import numpy as np

from cxrbench.published.figures import Range

OF_SUMS = ("accuracy", "recall", "specificity")  # of a mean, the sums of counts over runs are enough
OF_EACH_RUN = ("precision", "f1")
METRICS = (*OF_SUMS, *OF_EACH_RUN)
MOST_WORK = 10_000_000  # ways to share counts among runs that a question may look at, about a second
MOST_RUNS = 3  # of a mean of precisions or F1 scores; those of accuracies and recalls have no limit
FUZZ = 1e-12  # of floating point, far below any printed digit; a value this close to an end is looked at exactly


class TooMany(Exception):
    """The figures leave more counts than are searched."""


@dataclasses.dataclass(frozen=True)
class Images:
    """What a table's figures were taken on."""

    negative: int
    positive: int
    runs: int = 1  # whose mean is printed
    divided: bool = True  # False: the paper tells their sum alone, and how it is divided here says nothing

    @property
    def metrics(self) -> tuple[str, ...]:
        """Those of METRICS that these counts are enough for."""
        return METRICS if self.divided else ("accuracy",)


def possible(images: Images, ranges: Mapping[str, Range]) -> bool:
    """Whether any runs have all metrics within ``ranges`` at once. Raises TooMany."""
    return next(_Search(images).values(ranges), None) is not None


def nearest(images: Images, ranges: Mapping[str, Range], metric: str, wanted: Fraction) -> Fraction | None:
    """The value of ``metric`` nearest to ``wanted`` that runs within ``ranges`` can have; None: there are no such runs.

    Raises TooMany.
    """
    found = (value[metric] for value in _Search(images, metric, wanted).values(ranges, metric))
    return min(found, key=lambda value: abs(value - wanted), default=None)


class _Search:
    """A walk over the sums of true and false positives, and below each over how the runs share them."""

    def __init__(self, images: Images, metric: str = "", wanted: Fraction = Fraction(0)) -> None:
        self._images, self._metric, self._wanted = images, metric, wanted
        self._work = 0

    def values(self, ranges: Mapping[str, Range], metric: str = "") -> Iterator[dict[str, Fraction]]:
        """Metrics of runs within ``ranges``: of each sums one, where ``metric`` is of each run the nearest one."""
        inside = {name: one for name, one in ranges.items() if name in OF_EACH_RUN}
        best = np.inf  # distance from the wanted value, of those found
        for true, false in self._sums(ranges):
            if metric in OF_EACH_RUN and self._gap(metric, true, false) > best - FUZZ:
                continue  # no runs with these sums come nearer
            value = {name: self._of_sums(name, true, false) for name in OF_SUMS}
            if metric in OF_SUMS and not inside:
                yield value
                return  # they come nearest first
            if not inside and not metric:
                yield value
            elif metric in OF_EACH_RUN:
                if (found := self._shared(true, false, inside, metric)) is not None:
                    best = min(best, float(abs(found - self._wanted)))
                    yield {**value, metric: found}
            elif self._shared(true, false, inside) is not None:
                yield value
                if metric:
                    return

    def _sums(self, ranges: Mapping[str, Range]) -> Iterator[tuple[int, int]]:
        """The sums of true and of false positives over the runs that ``ranges`` leave, the likeliest first."""
        images, runs = self._images, self._images.runs
        true = np.arange(runs * images.positive + 1)[:, None]
        false = np.arange(runs * images.negative + 1)[None, :]
        left = np.ones((true.size, false.size), dtype=bool)
        for name in OF_SUMS:
            if name in ranges:
                count, of = self._counted(name, true, false)
                low, high = ranges[name]
                left &= (count >= -(-low * of // 1)) & (count <= high * of // 1)
        for name in OF_EACH_RUN:
            if name in ranges:
                low, high = ranges[name]
                least, most = self._bounds(name, true, false)
                left &= (most >= float(low) - FUZZ) & (least <= float(high) + FUZZ)
        pairs = np.argwhere(left)
        self._spend(len(pairs))
        order = np.argsort(self._distance(pairs, ranges), kind="stable")
        yield from ((int(a), int(b)) for a, b in pairs[order])

    def _bounds(self, metric: str, true: np.ndarray, false: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What the mean of precision or F1 over runs that share these sums is at least and at most; not the tightest.

        Both rise with a run's true positives t and are convex in its false ones f, so that for the same t in every run
        the mean is least where the runs share the false ones evenly, and most where few runs have them all. F1 is
        2t / (2t + wrong answers), which is convex in the wrong answers too.
        """
        n0, n1, runs = self._images.negative, self._images.positive, self._images.runs
        fewest = np.maximum(true - (runs - 1) * n1, 0)  # true positives that a run has in any case

        def value(of_run: np.ndarray | int, falses: np.ndarray | int) -> np.ndarray:
            below = of_run + falses if metric == "precision" else n1 + of_run + falses
            return (of_run if metric == "precision" else 2 * of_run) / np.maximum(below, 1)

        wrong, room = (false, n0) if metric == "precision" else (runs * n1 - true + false, n0 + n1)
        full, rest = wrong // room, wrong % room
        most = (full * value(n1, room) + np.where(full < runs, value(n1, rest) + runs - full - 1, 0)) / runs
        if metric == "f1":  # without false positives it is concave in the true ones
            most = np.minimum(most, value(true / runs, 0))
            return value(fewest, false / runs), most
        return np.where(fewest > 0, value(fewest, false / runs), -1), most

    def _gap(self, metric: str, true: int, false: int) -> float:
        """How far the wanted value is at least from the mean of ``metric`` over runs that share these sums."""
        least, most = self._bounds(metric, np.array(true), np.array(false))
        return max(float(least) - float(self._wanted), float(self._wanted) - float(most), 0.0)

    def _distance(self, pairs: np.ndarray, ranges: Mapping[str, Range]) -> np.ndarray:
        """How far runs that share the sums evenly are from what is asked."""
        asked = {name: float(sum(one) / 2) for name, one in ranges.items() if name in OF_EACH_RUN}
        if self._metric:
            asked = {self._metric: float(self._wanted)} if self._metric in OF_SUMS or not asked else asked
        true, false = pairs.T
        far = np.zeros(len(pairs))
        for name, value in asked.items():
            count, of = self._counted(name, true, false)
            with np.errstate(invalid="ignore", divide="ignore"):
                far += np.nan_to_num(abs(count / of - value), nan=2.0)
        return far

    def _counted(self, metric: str, true: np.ndarray, false: np.ndarray) -> tuple[np.ndarray, np.ndarray | int]:
        """Numerator and denominator of ``metric`` of all runs taken together."""
        n0, n1 = (self._images.runs * n for n in (self._images.negative, self._images.positive))
        return {
            "accuracy": (true + n0 - false, n0 + n1),
            "recall": (true + 0 * false, n1),
            "specificity": (n0 - false + 0 * true, n0),
            "precision": (true, true + false),
            "f1": (2 * true, n1 + true + false),
        }[metric]

    def _of_sums(self, metric: str, true: int, false: int) -> Fraction:
        count, of = self._counted(metric, np.array(true), np.array(false))
        return Fraction(int(count), int(of))

    def _shared(self, true: int, false: int, inside: Mapping[str, Range], metric: str = "") -> Fraction | None:
        """A mean of ``metric`` over runs that share the sums and lie ``inside``, the nearest to the wanted one.

        Without a metric any number where there are such runs; None where there are none.
        """
        best: Fraction | None = None
        for falses in _parts(false, self._images.runs, self._images.negative):
            for trues, means in self._divided(true, falses, {*inside, *([metric] if metric else [])}):
                left = np.ones(len(trues), dtype=bool)
                for name, (low, high) in inside.items():
                    left &= (means[name] >= float(low) - FUZZ) & (means[name] <= float(high) + FUZZ)
                if metric and left.any():
                    far = np.where(left, abs(means[metric] - float(self._wanted)), np.inf)
                    order = np.argsort(far, kind="stable")[: int(left.sum())]
                else:
                    order = np.flatnonzero(left)
                for place in order:
                    counts = list(zip(map(int, trues[place]), falses))
                    if any(not low <= _mean(name, counts, self._images.positive) <= high
                           for name, (low, high) in inside.items()):  # fmt: skip
                        continue  # within the fuzz alone
                    if not metric:
                        return Fraction(0)
                    value = _mean(metric, counts, self._images.positive)
                    if value < 0:
                        continue  # undefined: a run calls nobody ill
                    if best is None or abs(value - self._wanted) < abs(best - self._wanted):
                        best = value
                    break
        return best

    def _divided(
        self, true: int, falses: tuple[int, ...], names: set[str]
    ) -> Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]:
        """All ways to share ``true`` among runs with these false positives, int [ways, runs], and the means of each."""
        most, runs = self._images.positive, len(falses)
        if runs > MOST_RUNS:
            raise TooMany
        heads = np.meshgrid(*[np.arange(most + 1)] * (runs - 1), indexing="ij")
        rest = true - sum(heads, np.zeros([most + 1] * (runs - 1), dtype="int64"))
        left = (rest >= 0) & (rest <= most)
        self._spend(left.size)
        trues = np.stack([*(head[left] for head in heads), rest[left]], axis=-1).reshape(-1, runs)
        with np.errstate(invalid="ignore", divide="ignore"):
            each = {
                "precision": lambda: trues / (trues + np.array(falses)),
                "f1": lambda: 2 * trues / (most + trues + np.array(falses)),
            }
            means = {name: each[name]().mean(axis=1) for name in names}
        yield trues, means

    def _spend(self, work: int) -> None:
        self._work += work
        if self._work > MOST_WORK:
            raise TooMany


def _parts(total: int, count: int, most: int) -> Iterator[tuple[int, ...]]:
    """All ways to write ``total`` as ``count`` numbers of 0 to ``most`` in ascending order, the most even first."""
    if count == 1:
        if total <= most:
            yield (total,)
        return
    for first in range(total // count, -1, -1):
        for rest in _parts(total - first, count - 1, most):
            if rest[0] >= first:
                yield first, *rest


def _mean(metric: str, counts: list[tuple[int, int]], positive: int) -> Fraction:
    """The exact mean of precision or F1 over runs of these true and false positives; below any share if undefined."""
    if metric == "precision" and any(true + false == 0 for true, false in counts):
        return Fraction(-1)
    each = [
        Fraction(true, true + false) if metric == "precision" else Fraction(2 * true, positive + true + false)
        for true, false in counts
    ]
    return sum(each, Fraction(0)) / len(each)
