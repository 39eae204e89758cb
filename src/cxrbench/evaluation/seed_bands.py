"""A setting's curve over its seeds: at each place the mean of its runs, and the lowest and the highest of them.

Curves of several runs have no points in common, so each is read at the same places first. ROC curves are averaged at
equal false positive rates (vertical averaging, Fawcett 2006). Precision is that of the highest threshold that reaches
a recall, which is what average precision sums. Reliability takes one set of bins for all runs of a setting.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from cxrbench.evaluation.calibration import BINS, reliability
from cxrbench.evaluation.metrics import roc_points
from cxrbench.evaluation.resampling import Scores

FALSE_RATES = np.linspace(0, 1, 41) ** 2  # closer together where a good network's curve rises
RECALLS = np.arange(1, 51) / 50


@dataclasses.dataclass(frozen=True)
class Band:
    """One setting's curve; arrays (points,), NaN where no run has a value."""

    x: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    runs: np.ndarray  # that have a value at this place
    images: np.ndarray | None = None  # of a reliability curve: in the bin, those of all runs together


def over_runs(x: np.ndarray, values: np.ndarray) -> Band:
    """The band of ``values`` (runs, points) at ``x`` (points,); what is not finite is no value."""
    known = np.isfinite(values)
    runs = known.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(known, values, 0).sum(axis=0) / runs
    low = np.where(known, values, np.inf).min(axis=0, initial=np.inf)
    high = np.where(known, values, -np.inf).max(axis=0, initial=-np.inf)
    return Band(x, mean, np.where(runs, low, np.nan), np.where(runs, high, np.nan), runs)


def roc(runs: Sequence[Scores], false_rates: np.ndarray = FALSE_RATES) -> Band:
    """True positive rates at ``false_rates`` (points,)."""
    curves = [sensitivity_at(one.target, one.score, false_rates) for one in runs]
    return over_runs(false_rates, _rows(curves, false_rates))


def precision_recall(runs: Sequence[Scores], recalls: np.ndarray = RECALLS) -> Band:
    """Precisions at ``recalls`` (points,), each above 0."""
    curves = [precision_at(one.target, one.score, recalls) for one in runs]
    return over_runs(recalls, _rows(curves, recalls))


def reliability_band(runs: Sequence[Scores], bins: int = BINS) -> Band:
    """Shares of ones at mean scores, in ``bins`` bins of nearly equal numbers of all runs' images.

    ``mean`` is the share among the images of all runs together. Runs that diverged are left out.
    """
    finite = [one for one in runs if len(one.score) and np.isfinite(one.score).all()]
    if not finite:
        return Band(*[np.empty(0)] * 6)
    target, score = (np.concatenate([getattr(one, name) for one in finite]) for name in ("target", "score"))
    curve = reliability(target, score, bins)
    last = np.sort(score)[np.cumsum(curve.images) - 1]  # the highest score of each bin
    shares = np.full((len(finite), len(last)), np.nan)
    for row, one in zip(shares, finite):
        place = np.searchsorted(last, one.score)
        images = np.bincount(place, minlength=len(last))
        ones = np.bincount(place, weights=one.target == 1, minlength=len(last))
        row[images > 0] = (ones / np.maximum(images, 1))[images > 0]
    band = over_runs(curve.score, shares)
    return dataclasses.replace(band, mean=curve.share, images=curve.images)


def sensitivity_at(target: np.ndarray, score: np.ndarray, false_rates: np.ndarray) -> np.ndarray:
    """The true positive rate of one run's ROC curve at each of ``false_rates`` (points,), as (points,).

    Where the curve rises straight up, its upper end. NaN where a score is not finite or one class is missing.
    """
    false, true = roc_points(target, score, len(score) + 2)
    if not len(false):
        return np.full(len(false_rates), np.nan)
    before = np.searchsorted(false, false_rates, side="right") - 1
    after = np.minimum(before + 1, len(false) - 1)
    width = false[after] - false[before]
    share = np.divide(false_rates - false[before], width, out=np.zeros(len(false_rates)), where=width > 0)
    result: np.ndarray = true[before] + share * (true[after] - true[before])
    return result


def precision_at(target: np.ndarray, score: np.ndarray, recalls: np.ndarray) -> np.ndarray:
    """The precision of one run at the highest threshold that reaches each of ``recalls`` (points,), as (points,).

    NaN where a score is not finite or one class is missing.
    """
    recall, precision = precision_recall_points(target, score)
    if not len(recall):
        return np.full(len(recalls), np.nan)
    found: np.ndarray = precision[np.searchsorted(recall, recalls).clip(0, len(recall) - 1)]
    return found


def precision_recall_points(target: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Recall, rising, and precision at each threshold of one run; arrays (n,) in, (thresholds,) out.

    Empty where a score is not finite or one class is missing.
    """
    if not np.isfinite(score).all() or len(np.unique(target)) < 2:
        return np.empty(0), np.empty(0)
    order = np.argsort(-score, kind="stable")
    ends = np.flatnonzero(np.r_[np.diff(score[order]) != 0, True])  # a tie is one step
    found = np.cumsum(target[order] == 1)[ends]
    return found / found[-1], found / (ends + 1)


def _rows(curves: list[np.ndarray], places: np.ndarray) -> np.ndarray:
    return np.stack(curves) if curves else np.empty((0, len(places)))
