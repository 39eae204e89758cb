"""Contrasts inside one study: by how much one setting is better than another, and how that lies to a zone around 0.

A contrast's answer is a relation between the true value and the zone, which is of no practical weight: above, below,
inside, or open where the data do not say. What is asked in one call is one family (see decisions.py).
"""

import dataclasses
import itertools
import math
from collections.abc import Mapping, Sequence

import numpy as np

from cxrbench.base.language import _
from cxrbench.evaluation import decisions
from cxrbench.evaluation.decisions import Decision, Zone, decide, seeds_needed
from cxrbench.evaluation.metrics import TIMES, lower_is_better
from cxrbench.evaluation.redrawn import mean_of_seeds
from cxrbench.evaluation.resampling import (
    Estimate,
    Resamples,
    Sample,
    Scores,
    difference,
    mean,
    sample,
    time,
    time_difference,
)


@dataclasses.dataclass(frozen=True)
class Timing:
    """What a run's time depends on besides its setting."""

    machine: str
    threads: int  # that the run may use
    workers: int  # runs trained side by side
    alone: bool  # no other run of the grid was trained while this one was timed


@dataclasses.dataclass(frozen=True)
class Run:
    """One run as judged: its scores on each part it has, how it went, and how long an epoch took."""

    seed: int
    status: Mapping[str, str]  # part -> ok | degenerate | diverged
    scores: Mapping[str, Scores]  # part -> scores
    seconds: Mapping[str, float]  # each of TIMES -> seconds
    timing: Timing | None = None  # None: the run does not record it
    redrawn: bool = False  # whether its split was drawn for its seed


StudyRuns = Mapping[str, Sequence[Run]]  # setting label -> its runs


@dataclasses.dataclass(frozen=True)
class Contrast:
    """By how much ``a`` is better than ``b`` (without ``b``: how large ``a`` is)."""

    metric: str
    part: str
    a: str
    b: str | None
    zone: Zone  # values of no practical weight; without ``b``: the values that were published


@dataclasses.dataclass(frozen=True)
class Comparison:
    """The answer to a contrast: ``relation`` is above, below, inside, open, or blocked: no number can be given."""

    contrast: Contrast
    relation: str
    value: float = math.nan  # positive: a is better
    low: float = math.nan
    high: float = math.nan
    confidence: float = math.nan  # of the interval from low to high, the one that the relation follows from
    patients: int = 0  # 0 for a time
    seeds_needed: float = math.nan  # of an open relation: the seeds a setting that would decide it, inf: none would
    reason: str = ""  # of a relation without a number


@dataclasses.dataclass(frozen=True)
class Rules:
    """The numbers behind every verdict, from params.yaml's section ``report``."""

    confidence: float
    margin: float
    resamples: int
    seed: int
    metrics: Sequence[str] = ()  # of one's own, shown beside the others


@dataclasses.dataclass(frozen=True)
class Question:
    """Whether each of ``contrasts`` has the relation ``wanted``; without it, which relation the one contrast has."""

    contrasts: Sequence[Contrast]
    wanted: str = ""


def compare(study: StudyRuns, contrasts: Sequence[Contrast], rules: Rules) -> list[Comparison]:
    """Each contrast's comparison, in order; the family is these contrasts."""
    return [one for (one,) in answer(study, [Question([contrast]) for contrast in contrasts], rules)]


def answer(study: StudyRuns, questions: Sequence[Question], rules: Rules) -> list[list[Comparison]]:
    """For each question its contrasts' comparisons, in order.

    The questions are one family, in which any false answer has a probability of at most 1 - confidence. A question
    of which no contrast has a number is not part of it.
    """
    samples = Samples(study, rules)
    measured = [[samples.measure(contrast) for contrast in question.contrasts] for question in questions]
    tests = {i: test for i, question in enumerate(questions) if (test := _test(question, measured[i])).estimates}
    decided = dict(zip(tests, decide(list(tests.values()), 1 - rules.confidence)))
    return [_comparisons(question.contrasts, measured[i], decided.get(i, [])) for i, question in enumerate(questions)]


def _test(question: Question, measured: Sequence[Estimate | Comparison]) -> decisions.Question:
    numbers = [(one, contrast.zone) for one, contrast in zip(measured, question.contrasts) if isinstance(one, Estimate)]
    complete = all(isinstance(one, Estimate) or one.relation == question.wanted for one in measured)
    return decisions.Question([one for one, _ in numbers], [zone for _, zone in numbers], question.wanted, complete)


def _comparisons(
    contrasts: Sequence[Contrast], measured: Sequence[Estimate | Comparison], decided: Sequence[Decision]
) -> list[Comparison]:
    comparisons, left = [], iter(decided)
    for contrast, one in zip(contrasts, measured):
        if isinstance(one, Comparison):
            comparisons.append(one)
            continue
        decision = next(left)
        comparisons.append(
            Comparison(
                contrast,
                decision.relation,
                one.value,
                *one.interval(decision.level),
                1 - decision.level,
                one.patients,
                seeds_needed(one, contrast.zone, decision),
            )
        )
    return comparisons


def all_pairs(settings: Sequence[str]) -> list[tuple[str, str]]:
    return list(itertools.combinations(settings, 2))


def _without_numbers(study: StudyRuns, contrast: Contrast) -> Comparison | None:
    """The answer where a run diverged or a setting has one run; None where numbers can be compared.

    A mean over the runs that went well would hide the others: only a setting that diverged in every run, against
    one that never did, is decided (it loses).
    """
    settings = [contrast.a] if contrast.b is None else [contrast.a, contrast.b]
    diverged = {setting: sum("diverged" in run.status.values() for run in study[setting]) for setting in settings}
    total = {setting: len(study[setting]) for setting in settings}
    losers = [setting for setting in settings if diverged[setting] == total[setting]]
    if len(settings) == 2 and len(losers) == 1 and 0 in diverged.values():
        relation = "below" if losers[0] == contrast.a else "above"
        return Comparison(contrast, relation, reason=_("every run of {setting} diverged").format(setting=losers[0]))
    if any(diverged.values()):
        count = _("{bad} of {runs} runs of {setting} diverged")
        counts = [count.format(bad=bad, runs=total[name], setting=name) for name, bad in diverged.items() if bad]
        return Comparison(contrast, "blocked", reason=_(" and ").join(counts))
    for setting, runs in total.items():
        if runs < 2:
            reason = _("{setting} has {runs} run, which shows no spread over seeds")
            return Comparison(contrast, "blocked", reason=reason.format(setting=setting, runs=runs))
    return None


class Samples:
    """The estimates of one study: each setting's metric is resampled once, the patients of a part once for all."""

    def __init__(self, study: StudyRuns, rules: Rules) -> None:
        self.study, self.rules = study, rules
        self.resamples: dict[str, Resamples] = {}
        self.samples: dict[tuple[str, str, str], Sample] = {}

    def measure(self, contrast: Contrast) -> Estimate | Comparison:
        """The contrast's estimate, or its comparison where it has no number."""
        comparison = _without_numbers(self.study, contrast)
        if comparison:
            return comparison
        estimate = self._estimate(contrast)
        if math.isfinite(estimate.value) and math.isfinite(estimate.error):
            return estimate
        reason = _("{metric} is undefined in a run").format(metric=_(contrast.metric))
        return Comparison(contrast, "blocked", reason=reason)

    def _estimate(self, contrast: Contrast) -> Estimate:
        a, b = contrast.a, contrast.b
        # 'Better' is up: where a low value is the good one, the two settings change places.
        if b is not None and lower_is_better(contrast.metric):
            a, b = b, a
        if contrast.metric in TIMES:
            seconds = [np.array([run.seconds[contrast.metric] for run in self.study[s]]) for s in (a, b) if s]
            return time_difference(*seconds) if b else time(*seconds)
        if self._share_redrawn_splits(a, b):
            of_a, of_b = ([run.scores[contrast.part] for run in self.study[s]] if s else None for s in (a, b))
            return mean_of_seeds(of_a or [], of_b, contrast.metric, self._resamples(contrast.part))
        if b is None:
            return mean(self._sample(a, contrast))
        return difference(self._sample(a, contrast), self._sample(b, contrast))

    def _share_redrawn_splits(self, a: str, b: str | None) -> bool:
        """Whether all runs have splits of their own, those of ``a`` and ``b`` for the same seeds.

        Elsewhere, such as between a redrawn setting and one of the fixed split, the two sides' variances add up: that
        counts the chance which images test twice for the redrawn side, and errs to the wide side.
        """
        runs = [self.study[setting] for setting in (a, b) if setting]
        seeds = {tuple(run.seed for run in of_setting) for of_setting in runs}
        return len(seeds) == 1 and all(run.redrawn for of_setting in runs for run in of_setting)

    def _resamples(self, part: str) -> Resamples:
        if part not in self.resamples:
            scores = [run.scores[part] for runs in self.study.values() for run in runs if part in run.scores]
            self.resamples[part] = Resamples(scores, self.rules.resamples, self.rules.seed)
        return self.resamples[part]

    def _sample(self, setting: str, contrast: Contrast) -> Sample:
        key = setting, contrast.metric, contrast.part
        if key not in self.samples:
            runs = [run.scores[contrast.part] for run in self.study[setting]]
            self.samples[key] = sample(runs, contrast.metric, self._resamples(contrast.part))
        return self.samples[key]
