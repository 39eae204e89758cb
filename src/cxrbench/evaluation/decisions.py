"""From estimates to relations, with one error rate over all that are decided together (Holm 1979).

Each estimate is tested at a level of its own, and its relation to its zone follows from its interval at that level:
'above' where the whole interval lies above the zone, 'below' and 'inside' likewise, else 'open'. So a relation can be
false only where the interval leaves out the truth. The levels step down as Holm's do: the estimate that is clearest of
its zone's edges is held against alpha / k, the next against alpha / (k - 1), up to the first that stays open.

How clear an estimate is, the larger p of the two edges says. One edge alone says nothing, for an interval far from
the lower edge may cover the upper one; a step taken for it relaxes every later level for nothing, and the rate of
false relations grows to 40 % for 19 estimates (benchmarks/family_error.py).
"""

import dataclasses
import math
from collections.abc import Sequence

from cxrbench.evaluation.resampling import Estimate

Zone = tuple[float, float]


@dataclasses.dataclass(frozen=True)
class Decision:
    """The level at which an estimate was tested, and its relation to its zone."""

    level: float
    relation: str  # above | below | inside | open


def decide(estimates: Sequence[Estimate], zones: Sequence[Zone], alpha: float) -> list[Decision]:
    """Each estimate's relation to its zone; any of them is false with a probability of at most ``alpha``."""
    p_values = [
        max((estimate.p_value(edge) for edge in _edges(estimate, zone)), default=0.0)
        for estimate, zone in zip(estimates, zones)
    ]
    return [
        Decision(level, relation_to(zone, estimate) if p < level else "open")
        for estimate, zone, p, level in zip(estimates, zones, p_values, holm_levels(p_values, alpha))
    ]


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


def relation_to(zone: Zone, estimate: Estimate) -> str:
    """Where the value lies: above, below or inside the zone."""
    return "above" if estimate.value > zone[1] else "below" if estimate.value < zone[0] else "inside"


def _edges(estimate: Estimate, zone: Zone) -> list[float]:
    """The edges of the zone that the true value can lie beyond: an accuracy can't lie above a zone that ends at 1."""
    least, most = estimate.bounds
    return [edge for edge in zone if least < edge < most]


def seeds_needed(estimate: Estimate, zone: Zone, decision: Decision) -> float:
    """The seeds a setting that would decide an open relation at its present level (inf: none would), else NaN."""
    if decision.relation != "open":
        return math.nan
    return estimate.seeds_to_leave_out(_edges(estimate, zone), decision.level)
