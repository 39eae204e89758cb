"""How sure a mean over seeds, or a difference of two, is: two levels, patients and seeds.

The same patients are seen by every setting, so they are resampled once for all (a paired bootstrap; all images
of a patient go together). Seeds are few: resampling three of them never leaves their range and such a '95 %'
interval holds the truth in 75 % of cases, so their part is Student's t with Welch's degrees of freedom. The two
variances add up, as in multi-reader studies where seeds are readers and patients are cases (Obuchowski & Rockette
1995; degrees of freedom after Hillis 2007). The sum counts the interplay of patient and seed twice and so errs
to the wide side.
"""

import bisect
import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from cxrbench.evaluation.metrics import THRESHOLD, image_sums, ratio, weighted_auc

POWER = 0.8  # share of repeats in which the named number of seeds decides
MOST_SEEDS = 1_000_000  # what this many seeds leave open, no number of seeds decides


@dataclasses.dataclass(frozen=True)
class Scores:
    """One run's scores on one part: three arrays (n,)."""

    patient: np.ndarray
    target: np.ndarray
    score: np.ndarray

    @property
    def right(self) -> np.ndarray:
        """Of each image whether it is called rightly, bool (n,)."""
        called: np.ndarray = (self.score >= THRESHOLD) == (self.target == 1)
        return called


@dataclasses.dataclass(frozen=True)
class Sample:
    """One metric of one setting: its value for each seed, and its mean over seeds in each resample of patients."""

    values: np.ndarray  # (seeds,)
    resampled: np.ndarray  # (resamples,), in which the patients of all settings of a study are the same
    patients: int
    most: float  # the largest value that the metric can have; the least is 0


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A mean of one setting, or a difference of two, with the two parts of its variance."""

    value: float
    seed_variances: tuple[float, ...]  # for each setting, the sample variance over its seeds
    seeds: tuple[int, ...]  # for each setting, its number of seeds
    patient_variance: float  # of the value, over resamples of patients; 0 for a time
    patients: int  # the smaller number of the settings; 0 for a time
    bounds: tuple[float, float] = (-math.inf, math.inf)  # between which the true value must lie

    @property
    def error(self) -> float:
        """The standard error: the root of both variances' sum."""
        return math.sqrt(sum(self._means_variances()) + self.patient_variance)

    @property
    def freedom(self) -> float:
        """Degrees of freedom (Welch 1947, Satterthwaite 1946): only the seeds' variances are estimated from few."""
        parts = self._means_variances()
        total = sum(parts) + self.patient_variance
        spread = sum(part**2 / (n - 1) for part, n in zip(parts, self.seeds))
        return total**2 / spread if spread > 0 else math.inf

    def interval(self, alpha: float) -> tuple[float, float]:
        """The interval that misses the truth with probability ``alpha``, cut at ``bounds``."""
        from scipy.special import stdtrit  # the quantile of Student's t; scipy.stats takes a second to import

        half = float(stdtrit(self.freedom, 1 - alpha / 2)) * self.error
        least, most = self.bounds
        return max(self.value - half, least), min(self.value + half, most)

    def p_value(self, other: float) -> float:
        """Two-sided p of the truth being ``other``: below alpha where the interval leaves ``other`` out."""
        return self._p_at(abs(self.value - other))

    def seeds_to_leave_out(self, edges: Sequence[float], alpha: float) -> float:
        """The seeds a setting with which POWER of all repeats have an interval without any of ``edges``; inf: none.

        A repeat trains anew with other seeds and scores the same images. The present value and variances are taken as
        the truth. With n seeds the variance is

            sum of seed_variances / n + patient_variance

        and the degrees of freedom follow Welch's formula: the seeds' part shrinks, the patients' part stays. The value
        of a repeat falls short of the present one by at most z times the root of the seeds' part in POWER of them.
        """
        from scipy.special import ndtri

        def leaves_out(n: int) -> bool:
            repeated = dataclasses.replace(self, seeds=(n,) * len(self.seeds))
            short = float(ndtri(POWER)) * math.sqrt(sum(repeated._means_variances()))
            return all(repeated._p_at(max(0.0, abs(self.value - edge) - short)) < alpha for edge in edges)

        if not leaves_out(MOST_SEEDS):
            return math.inf
        return 2 + bisect.bisect_left(range(2, MOST_SEEDS), True, key=leaves_out)

    def _p_at(self, distance: float) -> float:
        from scipy.special import stdtr

        return float(2 * stdtr(self.freedom, -distance / self.error)) if self.error > 0 else float(distance == 0)

    def _means_variances(self) -> list[float]:
        return [variance / n for variance, n in zip(self.seed_variances, self.seeds)]


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
    """The mean of ``a`` less the mean of ``b``."""
    value = float(a.values.mean() - b.values.mean())
    fewer = min(a.patients, b.patients)
    return _estimate(value, a.resampled - b.resampled, (a.values, b.values), fewer, (-b.most, a.most))


def time_difference(a: np.ndarray, b: np.ndarray) -> Estimate:
    """By what share ``a`` takes longer than ``b``, in natural logarithms; each is (seeds,) of seconds."""
    value = float(np.log(a).mean() - np.log(b).mean())
    return _estimate(value, None, (np.log(a), np.log(b)), 0)


def time(a: np.ndarray) -> Estimate:
    """The mean time in seconds; ``a`` is (seeds,)."""
    return _estimate(float(a.mean()), None, (a,), 0, (0.0, math.inf))


def _estimate(
    value: float,
    resampled: np.ndarray | None,
    settings: Sequence[np.ndarray],
    patients: int,
    bounds: tuple[float, float] = (-math.inf, math.inf),
) -> Estimate:
    """An estimate from each setting's values (seeds,); not a number where the metric is undefined in a run."""
    variances = tuple(float(values.var(ddof=1)) for values in settings)
    seeds = tuple(len(values) for values in settings)
    of_patients = 0.0
    if resampled is not None:
        defined = resampled[np.isfinite(resampled)]  # a resample of a tiny part may hold one class only
        if len(defined) < 2:
            return Estimate(math.nan, variances, seeds, math.nan, patients, bounds)
        # Two settings that agree on every image leave the bootstrap nothing to resample; half a count in each
        # discordant cell (Agresti & Min 2005) keeps a small part from looking certain.
        of_patients = max(float(defined.var(ddof=1)), 1 / (patients + 2) ** 2)
    return Estimate(value, variances, seeds, of_patients, patients, bounds)
