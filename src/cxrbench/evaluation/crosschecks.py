"""Textbook statistics of one run, or of two on the same images, to be held beside our verdicts.

They know the images of one training alone: repeated training, and several images of one patient, are outside them.
So a small p of theirs is not a verdict; but where our verdict is clear, theirs should not point the other way.
"""

import dataclasses
import math

import numpy as np


@dataclasses.dataclass(frozen=True)
class TwoAucs:
    """DeLong's test of two AUCs on the same images."""

    a: float  # AUC of each
    b: float
    error: float  # standard error of a - b
    p: float  # two-sided, of the two being equal


@dataclasses.dataclass(frozen=True)
class TwoCalls:
    """McNemar's test of two runs' calls of the same images."""

    only_a: int  # images that a alone gets right
    only_b: int
    p: float  # two-sided, of either being as likely


def wilson(right: float, images: int, confidence: float = 0.95) -> tuple[float, float]:
    """The score interval of a proportion (Wilson 1927; recommended by Brown, Cai & DasGupta 2001).

    ``right`` of ``images`` may be a mean over runs, then taken as one run's. NaN twice where there is no image;
    ValueError where ``right`` is not between 0 and ``images``.
    """
    from scipy.special import ndtri

    if not 0 <= right <= images:
        raise ValueError(f"{right} of {images} images is no proportion")
    if images == 0:
        return math.nan, math.nan
    z, share = float(ndtri((1 + confidence) / 2)), right / images
    shrink = 1 + z**2 / images
    centre = (share + z**2 / (2 * images)) / shrink
    half = z * math.sqrt(share * (1 - share) / images + z**2 / (4 * images**2)) / shrink
    return max(0.0, centre - half), min(1.0, centre + half)


def delong(target: np.ndarray, a: np.ndarray, b: np.ndarray) -> TwoAucs:
    """Whether two scores of the same images have one AUC (DeLong, DeLong & Clarke-Pearson 1988).

    ``target`` is (n,) of 0 and 1, ``a`` and ``b`` are (n,) scores. The pairs of images are counted by midranks in
    O(n log n) (Sun & Xu 2014); a tie counts half. All is NaN where a score is not finite or one class is missing,
    error and p where one class has a single image. Scores that order every pair alike have a p of 1; where the AUCs
    differ and yet their variance is 0, such as 1 and 0, the test can't tell and p is NaN. ValueError where the arrays
    are not of one length.
    """
    from scipy.special import ndtr

    _same_length(target, a, b)
    positive = target == 1
    ones, zeros = int(positive.sum()), int((~positive).sum())
    if not ones or not zeros or not (np.isfinite(a).all() and np.isfinite(b).all()):
        return TwoAucs(math.nan, math.nan, math.nan, math.nan)
    of_ones_a, of_zeros_a = _pairs_won(positive, a)
    of_ones_b, of_zeros_b = _pairs_won(positive, b)
    auc_a, auc_b = (float(won.sum() / (2 * ones * zeros)) for won in (of_ones_a, of_ones_b))
    if min(ones, zeros) < 2:
        return TwoAucs(auc_a, auc_b, math.nan, math.nan)
    # Counts are whole numbers, so that a variance of 0 is 0 and not a rounding error.
    variance = (of_ones_a - of_ones_b).var(ddof=1) / ((2 * zeros) ** 2 * ones)
    variance += (of_zeros_a - of_zeros_b).var(ddof=1) / ((2 * ones) ** 2 * zeros)
    error = math.sqrt(variance)
    if error == 0:
        return TwoAucs(auc_a, auc_b, 0.0, 1.0 if auc_a == auc_b else math.nan)
    return TwoAucs(auc_a, auc_b, error, float(2 * ndtr(-abs(auc_a - auc_b) / error)))


def mcnemar(right_a: np.ndarray, right_b: np.ndarray) -> TwoCalls:
    """Whether two runs are right equally often; arrays (n,) of bool, which images each gets right.

    The exact binomial test of the images that only one gets right (McNemar 1947; Edwards 1948 for small numbers); p
    is 1 where there is none. ValueError where the arrays are not of one length.
    """
    from scipy.special import bdtr

    _same_length(right_a, right_b)
    only_a, only_b = int((right_a & ~right_b).sum()), int((~right_a & right_b).sum())
    p = min(1.0, 2 * float(bdtr(min(only_a, only_b), only_a + only_b, 0.5)))
    return TwoCalls(only_a, only_b, p)


def _pairs_won(positive: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each 1 the zeros below it, of each 0 the ones above it, both twice, so that a tie adds 1: int64 arrays."""
    pooled = _twice_midranks(score)
    of_ones = pooled[positive] - _twice_midranks(score[positive])
    ones_below = pooled[~positive] - _twice_midranks(score[~positive])
    return of_ones, 2 * int(positive.sum()) - ones_below


def _twice_midranks(score: np.ndarray) -> np.ndarray:
    """Twice each score's rank from 1 on; equal scores share the mean of theirs."""
    _, group, size = np.unique(score, return_inverse=True, return_counts=True)
    return (2 * np.cumsum(size) - size + 1)[group]


def _same_length(*arrays: np.ndarray) -> None:
    lengths = [len(one) for one in arrays]
    if len(set(lengths)) > 1:
        raise ValueError(f"arrays of {', '.join(map(str, lengths))} images can't be of the same images")
