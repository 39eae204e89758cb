"""Whether a score means what it says: of the images with a score near 0.8, do eight in ten show the finding?

Accuracy and AUC don't ask this: a network that is as often right may be far too sure. The Brier score and the expected
calibration error are 0 at best. The calibration line is a logistic regression of the target on logit(score) (Cox
1958; Van Calster et al. 2019): at best its intercept is 0 and its slope 1; a slope below 1 means scores too extreme.
"""

import dataclasses
import math

import numpy as np

from cxrbench.evaluation.metrics import CLIP

BINS = 10
STEPS = 100  # Newton needs below 20; from 100 on there is no answer that it can find
CLOSE = 1e-10  # the Newton decrement from which on the next step is the last


@dataclasses.dataclass(frozen=True)
class Reliability:
    """The reliability curve: three arrays (bins,), in order of score."""

    score: np.ndarray  # mean score of the bin's images
    share: np.ndarray  # share of them whose target is 1
    images: np.ndarray  # their number


@dataclasses.dataclass(frozen=True)
class Calibration:
    """One run's calibration on one part; NaN where a figure is undefined."""

    brier: float  # 0 to 1
    ece: float  # 0 to 1
    intercept: float  # on the scale of logits
    slope: float


def calibration(target: np.ndarray, score: np.ndarray, bins: int = BINS) -> Calibration:
    """Every figure of one run; ``target`` is (n,) of 0 and 1, ``score`` (n,) of probabilities.

    All are NaN where there is no image or a score is not finite, for such a run has diverged. Intercept and slope are
    also NaN where no finite ones are likeliest (see ``calibration_line``).
    """
    curve = reliability(target, score, bins)
    return Calibration(brier_score(target, score), expected_error(curve), *calibration_line(target, score))


def brier_score(target: np.ndarray, score: np.ndarray) -> float:
    """The mean squared distance of score and target (Brier 1950); arrays (n,), NaN as in ``calibration``."""
    if not _usable(target, score):
        return math.nan
    return float(np.mean((score - target) ** 2))


def reliability(target: np.ndarray, score: np.ndarray, bins: int = BINS) -> Reliability:
    """The reliability curve in at most ``bins`` bins of nearly equal numbers of images; arrays (n,).

    Images of one score are never parted, since their order means nothing; a bin takes all of them, and there may be
    fewer bins. The curve is empty where there is no image or a score is not finite.
    """
    if bins < 1:
        raise ValueError(f"a reliability curve of {bins} bins; at least 1 is needed")
    if not _usable(target, score):
        return Reliability(np.empty(0), np.empty(0), np.empty(0, dtype="int64"))
    order = np.argsort(score, kind="stable")
    ranked = np.asarray(score, dtype="float64")[order]
    wanted = np.arange(1, bins + 1) * len(ranked) // bins
    ends = np.unique(np.searchsorted(ranked, ranked[wanted[wanted > 0] - 1], side="right"))
    starts = np.r_[0, ends[:-1]]
    images = ends - starts
    ones = (target[order] == 1).astype("float64")
    return Reliability(np.add.reduceat(ranked, starts) / images, np.add.reduceat(ones, starts) / images, images)


def expected_error(curve: Reliability) -> float:
    """The expected calibration error: the mean gap of score and share, each bin weighed by its images.

    After Naeini et al. 2015, with bins of equal numbers (Nguyen & O'Connor 2015): nearly all scores of a good network
    lie near 0 and 1, and bins of equal width would leave most others empty. NaN for an empty curve.
    """
    if not len(curve.images):
        return math.nan
    return float(np.average(np.abs(curve.score - curve.share), weights=curve.images))


def calibration_line(target: np.ndarray, score: np.ndarray) -> tuple[float, float]:
    """Intercept and slope of the logistic regression of target on logit(score), by maximum likelihood; arrays (n,).

    A score of 0 or 1 is taken as 1e-7 from it. NaN where ``calibration`` says so, where one class is missing, and
    where a threshold parts the two classes wholly or but for its own ties: the likelihood then has no maximum at a
    finite slope (Albert & Anderson 1984).
    """
    if not _usable(target, score):
        return math.nan, math.nan
    certain = np.clip(np.asarray(score, dtype="float64"), CLIP, 1 - CLIP)
    logit = np.log(certain) - np.log1p(-certain)
    ones, zeros = logit[target == 1], logit[target == 0]
    if not len(ones) or not len(zeros) or ones.min() >= zeros.max() or zeros.min() >= ones.max():
        return math.nan, math.nan
    return _logistic(logit, (target == 1).astype("float64"))


def _logistic(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Intercept and slope by Newton's method, each step halved until the likelihood rises (McCullagh & Nelder 1989).

    ``x`` is set to mean 0 and spread 1 on the way, so that the two parameters are of one size.
    """
    from scipy.special import expit

    centre, spread = x.mean(), x.std()
    design = np.stack([np.ones(len(x)), (x - centre) / spread], axis=1)

    def likelihood(line: np.ndarray) -> float:
        return float(np.sum(y * (design @ line) - np.logaddexp(0, design @ line)))

    line = np.zeros(2)
    for _ in range(STEPS):
        chance = expit(design @ line)
        gradient = design.T @ (y - chance)
        information = (design * (chance * (1 - chance))[:, None]).T @ design
        try:
            step = np.linalg.solve(information, gradient)
        except np.linalg.LinAlgError:
            break
        if gradient @ step < CLOSE:
            line = line + step
            return float(line[0] - line[1] * centre / spread), float(line[1] / spread)
        now = likelihood(line)
        while likelihood(line + step) < now and np.abs(step).max() > CLOSE:
            step = step / 2
        line = line + step
    return math.nan, math.nan


def _usable(target: np.ndarray, score: np.ndarray) -> bool:
    if len(target) != len(score):
        raise ValueError(f"{len(target)} targets and {len(score)} scores can't be of the same images")
    return len(score) > 0 and bool(np.isfinite(score).all())
