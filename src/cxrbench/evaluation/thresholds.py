"""From which score on a network calls 1: the papers' 0.5, or a threshold chosen on validation and frozen there."""

import math

import numpy as np

from cxrbench.evaluation.metrics import THRESHOLD

LEVEL = 0.95  # of each class, the share that must not be called wrongly outside the band


def youden(target: np.ndarray, score: np.ndarray) -> float:
    """The threshold of greatest sensitivity + specificity - 1 (Youden's J, 1950), one of the scores; arrays (n,).

    Of several with one J, the one nearest to 0.5 (the lower of two as near). NaN where a score is not finite or one
    class is missing.
    """
    if not np.isfinite(score).all() or len(np.unique(target)) < 2:
        return math.nan
    values, group = np.unique(score, return_inverse=True)
    ones = np.bincount(group, weights=target == 1)
    zeros = np.bincount(group, weights=target == 0)
    # From a value on upwards; whole numbers, so that equal J are equal.
    called_ones, called_zeros = np.cumsum(ones[::-1])[::-1], np.cumsum(zeros[::-1])[::-1]
    j = called_ones * zeros.sum() - called_zeros * ones.sum()
    best = values[j == j.max()]
    return float(best[np.argmin(np.abs(best - THRESHOLD))])


def accuracy_at(threshold: float, target: np.ndarray, score: np.ndarray) -> float:
    """The share of images called rightly where a score from ``threshold`` on calls 1; arrays (n,).

    NaN where the threshold or a score is not finite, or there is no image.
    """
    if not math.isfinite(threshold) or not len(score) or not np.isfinite(score).all():
        return math.nan
    return float(np.mean((score >= threshold) == (target == 1)))


def intermediate(target: np.ndarray, score: np.ndarray, threshold: float, level: float = LEVEL) -> tuple[float, float]:
    """The band of scores [a, b) around ``threshold`` in which a network had better say nothing; arrays (n,).

    The intermediate range of two-graph ROC (Greiner, Sohr & Goebel 1995): below a lie at most 1 - ``level`` of the
    images of target 1, from b on at most 1 - ``level`` of those of target 0. So of either class at most 5 % are called
    wrongly on the images that the band was taken from. It is empty (a = b) where the threshold alone keeps both.
    """
    spare = {one: math.floor((1 - level) * np.sum(target == one) + 1e-9) for one in (0, 1)}  # images that may be wrong
    ones, zeros = np.sort(score[target == 1]), np.sort(score[target == 0])
    first = min(float(ones[spare[1]]), threshold)  # below it lie no more of the ones than may be wrong
    last = float(np.nextafter(zeros[::-1][spare[0]], np.inf))
    return first, max(last, threshold)
