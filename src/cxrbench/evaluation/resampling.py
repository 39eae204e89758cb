"""How sure a mean over seeds, or a difference of two, is: two levels, patients and seeds.

The same patients are seen by every setting, so they are resampled once for all (a paired bootstrap; all images
of a patient go together). Seeds are few: resampling three of them never leaves their range and such a '95 %'
interval holds the truth in 75 % of cases, so their part is Student's t with Welch's degrees of freedom. The two
variances add up, as in multi-reader studies where seeds are readers and patients are cases (Obuchowski & Rockette
1995; degrees of freedom after Hillis 2007). The sum counts the interplay of patient and seed twice and so errs
to the wide side.
"""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from cxrbench.evaluation.metrics import image_sums, ratio, weighted_auc


@dataclasses.dataclass(frozen=True)
class Scores:
    """One run's scores on one part: three arrays (n,)."""

    patient: np.ndarray
    target: np.ndarray
    score: np.ndarray


@dataclasses.dataclass(frozen=True)
class Sample:
    """One metric of one setting: its value for each seed, and its mean over seeds in each resample of patients."""

    values: np.ndarray  # (seeds,)
    resampled: np.ndarray  # (resamples,), in which the patients of all settings of a study are the same
    patients: int
    most: float  # the largest value that the metric can have; the least is 0


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A mean or a difference with its standard error and degrees of freedom."""

    value: float
    error: float
    freedom: float
    n: int  # patients; 0 for a time, which has none
    bounds: tuple[float, float] = (-math.inf, math.inf)  # of the values that the truth can have

    def interval(self, alpha: float) -> tuple[float, float]:
        """The interval that misses the truth with probability ``alpha``, no wider than the truth can lie."""
        from scipy.stats import t

        half = float(t.ppf(1 - alpha / 2, self.freedom)) * self.error
        least, most = self.bounds
        return max(self.value - half, least), min(self.value + half, most)

    def p_value(self, other: float) -> float:
        """Two-sided p of the truth being ``other``: below alpha where the interval leaves it out."""
        from scipy.stats import t

        distance = abs(self.value - other)
        return float(2 * t.sf(distance / self.error, self.freedom)) if self.error > 0 else float(distance == 0)


def patient_index(runs: Sequence[Scores]) -> dict[str, int]:
    """A number for each patient that any of the runs has seen, sorted by name."""
    return {patient: i for i, patient in enumerate(sorted({p for run in runs for p in set(run.patient)}))}


def patient_weights(patients: int, resamples: int, seed: int) -> np.ndarray:
    """How often each patient is drawn in each resample: (resamples, patients) float32."""
    drawn = np.random.default_rng(seed).integers(0, patients, (resamples, patients))
    drawn += np.arange(resamples)[:, None] * patients
    return np.bincount(drawn.ravel(), minlength=resamples * patients).reshape(resamples, patients).astype("float32")


def sample(runs: Sequence[Scores], metric: str, index: dict[str, int], weights: np.ndarray) -> Sample:
    """One setting's ``metric`` for each of its runs (seeds) and its mean over them in each resample."""
    values, resampled, patients = [], [], set()
    for run in runs:
        column = np.array([index[patient] for patient in run.patient])
        patients.update(column.tolist())
        if metric == "auc":
            values.append(weighted_auc(run.target, run.score, np.ones((1, len(run.score))))[0])
            resampled.append(weighted_auc(run.target, run.score, weights[:, column]))
            continue
        each = image_sums(run.target, run.score)
        grouped = np.zeros((len(index), each.shape[1]))
        np.add.at(grouped, column, each)
        values.append(float(ratio(metric, each.sum(axis=0))))
        resampled.append(ratio(metric, weights @ grouped.astype("float32")))
    most = math.inf if metric == "loss" else 1.0
    return Sample(np.array(values), np.mean(resampled, axis=0), len(patients), most)


def mean(a: Sample) -> Estimate:
    """The mean over seeds of one setting."""
    return _estimate(float(a.values.mean()), a.resampled, (a.values,), a.patients, (0.0, a.most))


def difference(a: Sample, b: Sample) -> Estimate:
    """The mean of ``a`` less the mean of ``b``; ``n`` is the smaller number of patients."""
    value = float(a.values.mean() - b.values.mean())
    fewer = min(a.patients, b.patients)
    return _estimate(value, a.resampled - b.resampled, (a.values, b.values), fewer, (-b.most, a.most))


def time_difference(a: np.ndarray, b: np.ndarray) -> Estimate:
    """By what share ``a`` takes longer than ``b``, in natural logarithms; each is (seeds,) of seconds."""
    value = float(np.log(a).mean() - np.log(b).mean())
    return _estimate(value, None, (np.log(a), np.log(b)), 0)


def holm_levels(p_values: Sequence[float], alpha: float) -> list[float]:
    """The level at which each interval is drawn so that all hold together with 1 - ``alpha`` (Holm 1979).

    The smallest p is held against alpha / k, the next against alpha / (k - 1), up to the first that fails; that one
    and all after it stay at its level. An interval at its level leaves the tested value out where Holm rejects it.
    """
    count = len(p_values)
    levels, passed = [0.0] * count, 0
    for rank, i in enumerate(sorted(range(count), key=lambda i: p_values[i])):
        levels[i] = alpha / (count - passed)
        if passed == rank and p_values[i] < levels[i] and passed < count - 1:
            passed += 1
    return levels


def _estimate(
    value: float,
    resampled: np.ndarray | None,
    sides: Sequence[np.ndarray],
    patients: int,
    bounds: tuple[float, float] = (-math.inf, math.inf),
) -> Estimate:
    by_side = [(float(side.var(ddof=1)) / len(side), len(side) - 1) for side in sides]
    of_seeds = sum(variance for variance, _ in by_side)
    of_patients = 0.0
    if resampled is not None:
        defined = resampled[np.isfinite(resampled)]  # a resample of a tiny part may hold one class only
        if len(defined) < 2:
            return Estimate(math.nan, math.nan, math.nan, patients)
        # Two settings that agree on every image leave the bootstrap nothing to resample; half a count in each
        # discordant cell (Agresti & Min 2005) keeps a small part from looking certain.
        of_patients = max(float(defined.var(ddof=1)), 1 / (patients + 2) ** 2)
    total = of_seeds + of_patients
    spread = sum(variance**2 / freedom for variance, freedom in by_side)
    return Estimate(value, math.sqrt(total), total**2 / spread if spread > 0 else math.inf, patients, bounds)
