"""A/A: the engine on one setting against itself. Its seeds are parted in two, and no difference can be there.

Bosma et al. 2024 found that a plain paired bootstrap between two runs of one method calls 15 % of such pairs different,
since it takes seeds for nothing.
"""

import dataclasses
import itertools
from collections.abc import Mapping

import numpy as np

from cxrbench.evaluation.comparisons import Contrast, Rules, StudyRuns, compare

LEAST_SEEDS = 4  # two against two
MOST_WAYS = 35  # of a setting; all of 8 seeds, and so many of more, drawn at random


@dataclasses.dataclass(frozen=True)
class AgainstItself:
    """How many comparisons of a setting with itself were made, of how many settings, and how many are false."""

    settings: int
    ways: int
    different: int  # called better or worse at the nominal level


def against_itself(studies: Mapping[str, StudyRuns], rules: Rules) -> AgainstItself:
    """Every setting with four seeds or more against itself, in accuracy on test, each comparison by itself."""
    settings = ways = different = 0
    seen: set[tuple[int, ...]] = set()
    for study in studies.values():
        for runs in study.values():
            judged = [run for run in runs if run.status.get("test") == "ok"]
            key = tuple(id(run.scores["test"]) for run in judged)
            if len(judged) < LEAST_SEEDS or key in seen:
                continue
            seen.add(key)
            settings += 1
            for half in _halves(len(judged)):
                parts = {"a": [judged[i] for i in half], "b": [r for i, r in enumerate(judged) if i not in half]}
                (one,) = compare(parts, [Contrast("accuracy", "test", "a", "b", (0.0, 0.0))], rules)
                ways, different = ways + 1, different + (one.relation in ("above", "below"))
    return AgainstItself(settings, ways, different)


def _halves(count: int) -> list[tuple[int, ...]]:
    """Ways to choose half of ``count``, each pair of halves once."""
    halves = [half for half in itertools.combinations(range(count), count // 2) if count % 2 or 0 in half]
    if len(halves) > MOST_WAYS:
        drawn = np.random.default_rng(0).choice(len(halves), MOST_WAYS, replace=False)
        halves = [halves[i] for i in sorted(drawn)]
    return halves
