"""Many comparisons inside one study, with intervals that hold for all of them together (Holm).

A comparison puts an estimate beside a zone that is of no practical weight, and says where its interval lies:
above the zone, below it, inside it, or open: across an edge, so that more runs or images are needed to tell.
"""

import dataclasses
import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from cxrbench.evaluation.metrics import BOUNDED, LOWER_IS_BETTER, TIMES
from cxrbench.evaluation.resampling import (
    Estimate,
    Sample,
    Scores,
    difference,
    holm_levels,
    mean,
    patient_index,
    patient_weights,
    sample,
    time_difference,
)


@dataclasses.dataclass(frozen=True)
class Run:
    """One run as judged: its scores on each part it has, how it went, and how long an epoch took."""

    seed: int
    status: Mapping[str, str]  # part -> ok | degenerate | diverged
    scores: Mapping[str, Scores]  # part -> scores
    epoch_seconds: float


Study = Mapping[str, Sequence[Run]]  # setting label -> its runs


@dataclasses.dataclass(frozen=True)
class Pair:
    """By how much ``a`` is better than ``b`` (without ``b``: how large ``a`` is); ``zone`` is of no weight."""

    metric: str
    part: str
    a: str
    b: str | None
    zone: tuple[float, float]


@dataclasses.dataclass(frozen=True)
class Comparison:
    """The answer to a pair: ``place`` is above, below, inside, open, or blocked: no number can be given."""

    pair: Pair
    place: str
    value: float = float("nan")  # positive: a is better
    low: float = float("nan")
    high: float = float("nan")
    n: int = 0  # patients
    reason: str = ""  # of a blocked or one-sided comparison


@dataclasses.dataclass(frozen=True)
class Rules:
    """The numbers behind every verdict, from params.yaml's section ``report``."""

    confidence: float
    margin: float
    resamples: int
    seed: int


def compare(study: Study, pairs: Sequence[Pair], rules: Rules) -> list[Comparison]:
    """Every pair's comparison, in order; the intervals hold together with ``rules.confidence``."""
    result: list[Comparison | None] = [_without_numbers(study, pair) for pair in pairs]
    open_pairs = [i for i, found in enumerate(result) if found is None]
    estimates = dict(zip(open_pairs, _estimates(study, [pairs[i] for i in open_pairs], rules)))
    for i, estimate in list(estimates.items()):
        if not (np.isfinite(estimate.value) and np.isfinite(estimate.error)):
            result[i] = Comparison(pairs[i], "blocked", reason=f"{pairs[i].metric} is undefined in a run")
            del estimates[i]
    p_values = [min(e.p_value(edge) for edge in pairs[i].zone) for i, e in estimates.items()]
    for (i, estimate), level in zip(estimates.items(), holm_levels(p_values, 1 - rules.confidence)):
        low, high = estimate.interval(level)
        if pairs[i].b is None and pairs[i].metric in BOUNDED:
            low, high = max(low, 0.0), min(high, 1.0)
        result[i] = Comparison(pairs[i], _place(low, high, pairs[i].zone), estimate.value, low, high, estimate.n)
    return [found for found in result if found is not None]


def all_pairs(settings: Sequence[str]) -> list[tuple[str, str]]:
    return list(itertools.combinations(settings, 2))


def _place(low: float, high: float, zone: tuple[float, float]) -> str:
    if low > zone[1]:
        return "above"
    if high < zone[0]:
        return "below"
    return "inside" if zone[0] < low and high < zone[1] else "open"


def _without_numbers(study: Study, pair: Pair) -> Comparison | None:
    """The answer where a run diverged or a side has one run; None where numbers can be compared.

    A mean over the runs that went well would hide the others: only a setting that diverged in every run, against
    one that never did, is decided (it loses).
    """
    sides = [pair.a] if pair.b is None else [pair.a, pair.b]
    diverged = [sum("diverged" in run.status.values() for run in study[side]) for side in sides]
    total = [len(study[side]) for side in sides]
    if len(sides) == 2 and 0 in diverged and any(bad == all_runs for bad, all_runs in zip(diverged, total)):
        loser = sides[0] if diverged[0] else sides[1]
        reason = f"every run of {loser} diverged"
        return Comparison(pair, "below" if loser == pair.a else "above", reason=reason)
    if any(diverged):
        told = [f"{bad} of {n} runs of {side} diverged" for side, bad, n in zip(sides, diverged, total) if bad]
        return Comparison(pair, "blocked", reason=" and ".join(told))
    for side, n in zip(sides, total):
        if n < 2:
            return Comparison(pair, "blocked", reason=f"{side} has {n} run, which shows no spread over seeds")
    return None


def _estimates(study: Study, pairs: Sequence[Pair], rules: Rules) -> list[Estimate]:
    weights: dict[str, tuple[dict[str, int], np.ndarray]] = {}
    samples: dict[tuple[str, str, str], Sample] = {}

    def sampled(setting: str, pair: Pair) -> Sample:
        if pair.part not in weights:
            seen = [run.scores[pair.part] for runs in study.values() for run in runs if pair.part in run.scores]
            index = patient_index(seen)
            weights[pair.part] = (index, patient_weights(len(index), rules.resamples, rules.seed))
        key = (setting, pair.metric, pair.part)
        if key not in samples:
            runs = [run.scores[pair.part] for run in study[setting]]
            samples[key] = sample(runs, pair.metric, *weights[pair.part])
        return samples[key]

    result = []
    for pair in pairs:
        # 'Better' is up: where a low value is the good one, the sides change places.
        swap = pair.b is not None and pair.metric in LOWER_IS_BETTER
        a, b = (pair.b, pair.a) if swap and pair.b is not None else (pair.a, pair.b)
        if pair.metric in TIMES:
            seconds = [np.array([run.epoch_seconds for run in study[side]]) for side in (a, b) if side is not None]
            result.append(time_difference(*seconds))
        elif b is None:
            result.append(mean(sampled(a, pair)))
        else:
            result.append(difference(sampled(a, pair), sampled(b, pair)))
    return result
