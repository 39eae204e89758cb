"""From estimates to relations, with one error rate over all questions that are decided together (Holm 1979).

An estimate's relation to its zone follows from its interval: 'above' where the whole interval lies above the zone,
'below' and 'inside' likewise, else 'open'. So a relation can be false only where the interval leaves out the truth.

A question is affirmed where each of its estimates has the wanted relation, and denied where one has another. To
affirm it wrongly, the one estimate whose truth is otherwise must err, so each is tested at the question's own level
(an intersection-union test, Berger 1982). To deny it wrongly, any may err, so whatever lies on another side is tested
at that level divided by the number of estimates (Bonferroni).

The questions' levels step down: the clearest is held against alpha / k, the next against alpha / (k - 1), up to the
first that stays open. How clear an estimate is, the larger p of its zone's two edges says. One edge alone says
nothing, for an interval far from the lower edge may cover the upper one; a step taken for it relaxes every later level
for nothing, and the rate of false relations grows to 40 % for 19 estimates (benchmarks/family_error.py).
"""

import dataclasses
import math
from collections.abc import Sequence

from cxrbench.evaluation.resampling import Estimate

Zone = tuple[float, float]


@dataclasses.dataclass(frozen=True)
class Question:
    """Whether each estimate has the relation ``wanted`` to its zone; without ``wanted``: which relation has it."""

    estimates: Sequence[Estimate]  # at least one
    zones: Sequence[Zone]
    wanted: str = ""
    complete: bool = True  # False: something that the question asks for has no estimate, so it can't be affirmed


@dataclasses.dataclass(frozen=True)
class Decision:
    """The level at which an estimate was tested, and its relation to its zone."""

    level: float
    relation: str  # above | below | inside | open


def decide(questions: Sequence[Question], alpha: float) -> list[list[Decision]]:
    """For each question its estimates' decisions; any question is answered falsely with a probability <= ``alpha``."""
    clear = [[_clearness(*one) for one in zip(question.estimates, question.zones)] for question in questions]
    levels = holm_levels([_p_value(*one) for one in zip(questions, clear)], alpha)
    return [_decisions(*one) for one in zip(questions, clear, levels)]


def holm_levels(p_values: Sequence[float], alpha: float) -> list[float]:
    """The level at which each p is tested (Holm 1979).

    The smallest p is held against alpha / k, the next against alpha / (k - 1), up to the first that fails; that one
    and all after it stay at its level.
    """
    count = len(p_values)
    levels, passed = [0.0] * count, 0
    for rank, i in enumerate(sorted(range(count), key=lambda i: p_values[i])):
        levels[i] = alpha / (count - passed)
        if passed == rank and p_values[i] < levels[i] and passed < count - 1:
            passed += 1
    return levels


def side_of(value: float, zone: Zone) -> str:
    """Where a value lies: above, below or inside the zone."""
    return "above" if value > zone[1] else "below" if value < zone[0] else "inside"


def seeds_needed(estimate: Estimate, zone: Zone, decision: Decision) -> float:
    """The seeds a setting that would decide an open relation at its present level (inf: none would), else NaN."""
    if decision.relation != "open":
        return math.nan
    return estimate.seeds_to_leave_out(_edges(estimate, zone), decision.level)


def _p_value(question: Question, clear: Sequence[float]) -> float:
    """The level from which on the question is affirmed or denied."""
    others = [p for p, side in zip(clear, _sides(question)) if side != question.wanted]
    if others:
        return len(clear) * min(others)
    return max(clear) if question.complete else math.inf


def _decisions(question: Question, clear: Sequence[float], level: float) -> list[Decision]:
    sides = _sides(question)
    own = [level if side == question.wanted else level / len(sides) for side in sides]
    return [Decision(own[i], side if clear[i] < own[i] else "open") for i, side in enumerate(sides)]


def _sides(question: Question) -> list[str]:
    return [side_of(estimate.value, zone) for estimate, zone in zip(question.estimates, question.zones)]


def _clearness(estimate: Estimate, zone: Zone) -> float:
    """The level from which on the interval holds neither edge of the zone."""
    return max((estimate.p_value(edge) for edge in _edges(estimate, zone)), default=0.0)


def _edges(estimate: Estimate, zone: Zone) -> list[float]:
    """The edges of the zone that the true value can lie beyond: an accuracy can't lie above a zone that ends at 1."""
    least, most = estimate.bounds
    return [edge for edge in zone if least < edge < most]
