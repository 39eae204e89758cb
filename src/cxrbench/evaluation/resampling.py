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
import functools
import math
from collections.abc import Sequence

import numpy as np

from cxrbench.evaluation.metrics import METRICS, THRESHOLD, image_sums, most, own, quotient, terms, weighted_auc

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
    patients: frozenset[str]
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

        error = self.error
        return float(2 * stdtr(self.freedom, -distance / error)) if error > 0 else float(distance == 0)

    def _means_variances(self) -> list[float]:
        return [variance / n for variance, n in zip(self.seed_variances, self.seeds)]


class Resamples:
    """The patients that runs have seen, drawn anew with replacement: the same draws for every setting of a study."""

    def __init__(self, runs: Sequence[Scores], resamples: int, seed: int) -> None:
        names = {name for same in _by_images(runs) for name in same[0].patient.tolist()}
        self._number = {patient: i for i, patient in enumerate(sorted(names))}
        self._weights = patient_weights(len(names), resamples, seed)
        self._known: tuple[Scores, np.ndarray, frozenset[str]] | None = None

    def __len__(self) -> int:
        return len(self._weights)

    def of_images(self, run: Scores) -> tuple[np.ndarray, frozenset[str]]:
        """How often each image of ``run`` is drawn, (resamples, n) float32, and the patients they are of."""
        if self._known is None or not _of_same_images(self._known[0], run):  # mostly all runs have seen the same
            column = np.array([self._number[patient] for patient in run.patient.tolist()])
            self._known = run, self._weights[:, column], frozenset(run.patient.tolist())
        return self._known[1:]


@functools.lru_cache(maxsize=4)  # a report asks for the same ones in each study and each family of questions
def patient_weights(patients: int, resamples: int, seed: int) -> np.ndarray:
    """How often each patient is drawn in each resample: (resamples, patients) float32, not to be written into."""
    drawn = np.random.default_rng(seed).integers(0, patients, (resamples, patients))
    drawn += np.arange(resamples)[:, None] * patients
    counted = np.bincount(drawn.ravel(), minlength=resamples * patients).reshape(resamples, patients).astype("float32")
    counted.setflags(write=False)
    return counted


def sample(runs: Sequence[Scores], metric: str, resamples: Resamples) -> Sample:
    """One setting's ``metric`` for each of its runs (seeds) and its mean over them in each resample."""
    values: list[float] = []
    patients: set[str] = set()
    total = np.zeros(len(resamples))
    for same in _by_images(runs):
        weights, of_images = resamples.of_images(same[0])
        whole, resampled = _metric_of(metric, same, weights)
        values += whole.tolist()
        total += resampled * len(same)
        patients.update(of_images)
    return Sample(np.array(values), total / len(runs), frozenset(patients), most(metric))


def pooled(samples: Sequence[Sample]) -> Sample:
    """What ``sample`` gives of several runs together, from that of each of them alone."""
    patients = frozenset().union(*(one.patients for one in samples))
    resampled = np.mean([one.resampled for one in samples], axis=0)
    return Sample(np.concatenate([one.values for one in samples]), resampled, patients, samples[0].most)


def _by_images(runs: Sequence[Scores]) -> list[list[Scores]]:
    """The runs in their order, those in a row together that have seen the same images in the same order."""
    groups: list[list[Scores]] = []
    for run in runs:
        if groups and _of_same_images(groups[-1][0], run):
            groups[-1].append(run)
        else:
            groups.append([run])
    return groups


def _of_same_images(one: Scores, other: Scores) -> bool:
    pairs = ((one.target, other.target), (one.patient, other.patient))
    return all(a is b or np.array_equal(a, b) for a, b in pairs)  # to compare names takes as long as a metric


def _metric_of(metric: str, runs: Sequence[Scores], weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The metric of each run on its images, (runs,), and its mean over runs in each row of ``weights``, (r,).

    The runs have seen the same images; ``weights`` is (r, n), how often each image counts.
    """
    if metric == "auc" or metric not in METRICS:
        value = weighted_auc if metric == "auc" else own(metric).value
        weights = np.concatenate([np.ones_like(weights[:1]), weights])
        with np.errstate(invalid="ignore", divide="ignore"):  # a resample may hold one class only
            found = np.stack([value(run.target, run.score, weights) for run in runs])
        return found[:, 0], found[:, 1:].mean(axis=0)
    above, below = terms(metric, image_sums(runs[0].target, np.stack([run.score for run in runs])))
    values = quotient(above.sum(axis=1), below.sum(axis=1))
    if (below == below[0]).all():  # as for an accuracy: the mean over runs is one division
        above, below = above.mean(axis=0, keepdims=True), below[:1]
    sums = np.concatenate([above, below]).astype("float32") @ weights.T
    return values, quotient(sums[: len(above)], sums[len(above) :]).mean(axis=0)


def mean(a: Sample) -> Estimate:
    """The mean over seeds of one setting."""
    return _estimate(float(a.values.mean()), a.resampled, (a.values,), len(a.patients), (0.0, a.most))


def difference(a: Sample, b: Sample) -> Estimate:
    """The mean of ``a`` less the mean of ``b``."""
    value = float(a.values.mean() - b.values.mean())
    fewer = min(len(a.patients), len(b.patients))
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
