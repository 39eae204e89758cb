"""Which settings may be the best on test, and how often a new run of the winner would beat a new run of another.

Both ask more than the difference to the winner says. Its interval is of two means over seeds, but who trains once gets
one run: P(A beats B) is of one run of each (Bouthillier et al. 2021, 'Accounting for variance in machine learning
benchmarks', section 5: P(A > B)). And the winner is named on validation, so another setting may be the best on test:
the group of the best is found among all settings, without naming one first (multiple comparisons with the best: Gupta
1965, Hsu 1984).
"""

import dataclasses
import math
from collections.abc import Mapping

import numpy as np

from cxrbench.evaluation.comparisons import Comparison, Contrast, Rules, Samples, StudyRuns
from cxrbench.evaluation.resampling import Estimate

METRIC, PART = "accuracy", "test"
DRAWS = 20_000  # for an interval; its ends move by less than 0.01 from one set of draws to another


@dataclasses.dataclass(frozen=True)
class Beats:
    """The probability that a new run of one setting beats a new run of another, with an interval of its own."""

    probability: float  # NaN where it can't be said
    low: float = math.nan
    high: float = math.nan
    reason: str = ""  # why it can't be said


@dataclasses.dataclass(frozen=True)
class BestGroup:
    """The settings of one study by their accuracy on test."""

    winner: str  # on validation
    beaten: Mapping[str, Beats]  # every other setting -> P(a new run of the winner beats one of it)
    group: tuple[str, ...]  # settings that are not distinguishable from the best; empty where fewer than 2 have numbers
    unknown: Mapping[str, str]  # setting -> why it has no number
    confidence: float  # of each interval, and of the best setting being in the group


def best_group(study: StudyRuns, winner: str, rules: Rules) -> BestGroup:
    """The winner against each other setting, and the group of the best; ``study`` holds runs with a part 'test'."""
    samples = Samples(study, rules)
    alone = {setting: samples.measure(_contrast(setting, None)) for setting in study}
    unknown = {setting: one.reason for setting, one in alone.items() if isinstance(one, Comparison)}
    known = [setting for setting in study if setting not in unknown]
    beaten = {setting: _beats(samples, winner, setting, rules) for setting in study if setting != winner}
    return BestGroup(winner, beaten, _group(samples, known, rules), unknown, rules.confidence)


def superiority(estimate: Estimate, confidence: float) -> Beats:
    """P(a new run of a beats a new run of b on as many new patients), of the difference a - b; a tie counts half.

    The difference of two new runs on new patients is taken as normal: its mean is the true difference d of the two
    settings, its variance s^2 the sum of both settings' variances over seeds and of the variance over patients. So

        P(A beats B) = P(difference > 0) + P(difference = 0) / 2 = Phi(d / s)

    where half of a tie is the half of the step that the normal curve cuts at 0. The estimate puts in what was measured.
    The interval is a generalised one (Weerahandi 1993): a variance over n seeds that was measured as v is drawn as
    (n - 1) v / chi^2 with n - 1 degrees of freedom, d as normal around the measured difference with the standard error
    that follows, and the interval holds ``confidence`` of the Phi(d / s) so drawn. Where only patients vary it is that
    of a z, where only seeds do that of an effect size (a noncentral t). Three seeds tell little of how runs differ, so
    it is wide. Where each seed has a split of its own, the variance over seeds is that of differences within a split,
    and the new runs are on a new split.
    """
    from scipy.special import ndtr

    rng = np.random.default_rng(0)
    variances = [
        (n - 1) * variance / rng.chisquare(n - 1, DRAWS) for n, variance in zip(estimate.seeds, estimate.seed_variances)
    ]
    of_means = sum(variance / n for n, variance in zip(estimate.seeds, variances)) + estimate.patient_variance
    differences = estimate.value + np.sqrt(of_means) * rng.normal(size=DRAWS)
    low, high = np.quantile(
        ndtr(differences / np.sqrt(sum(variances) + estimate.patient_variance)),
        [(1 - confidence) / 2, (1 + confidence) / 2],
    )
    spread = math.sqrt(sum(estimate.seed_variances) + estimate.patient_variance)
    return Beats(float(ndtr(estimate.value / spread)), float(low), float(high))


def _beats(samples: Samples, winner: str, other: str, rules: Rules) -> Beats:
    one = samples.measure(_contrast(winner, other))
    return Beats(math.nan, reason=one.reason) if isinstance(one, Comparison) else superiority(one, rules.confidence)


def _group(samples: Samples, settings: list[str], rules: Rules) -> tuple[str, ...]:
    """The settings that no other one is clearly better than; the best one is in it with the rules' confidence.

    A setting is left out where another is better by a one-sided test at alpha / (k - 1). The best of k settings is left
    out falsely only if one of its k - 1 comparisons errs, so the rate is at most alpha (Bonferroni in the place of
    Hsu's quantile, which wants equal variances). It is not the Holm family of the differences to the winner: that one
    asks whether a setting is worse than the winner by more than the margin, and its rate covers that question only.
    """
    if len(settings) < 2:
        return ()
    level = (1 - rules.confidence) / (len(settings) - 1)
    return tuple(
        one for one in settings if not any(_better(samples, other, one, level) for other in settings if other != one)
    )


def _better(samples: Samples, a: str, b: str, level: float) -> bool:
    """Whether ``a`` is better than ``b`` by a one-sided test."""
    estimate = samples.measure(_contrast(a, b))
    return isinstance(estimate, Estimate) and estimate.value > 0 and estimate.p_value(0.0) / 2 < level


def _contrast(a: str, b: str | None) -> Contrast:
    return Contrast(METRIC, PART, a, b, (0.0, 0.0))
