"""A/A: the engine on one setting against itself. Its seeds are parted in two, and no difference can be there.

Bosma et al. 2024 found that a plain paired bootstrap between two runs of one method calls 15 % of such pairs different,
since it takes seeds for nothing.
"""

import dataclasses
import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from cxrbench.evaluation.comparisons import Rules, Run, StudyRuns
from cxrbench.evaluation.resampling import Resamples, difference, pooled, sample

LEAST_SEEDS = 4  # two against two
MOST_WAYS = 126  # of a setting; all of 10 seeds, and so many of more, drawn at random


@dataclasses.dataclass(frozen=True)
class AgainstItself:
    """How many comparisons of a setting with itself were made, of how many settings, and how many are false."""

    settings: int = 0
    ways: int = 0
    different: int = 0  # called better or worse at the nominal level

    def __add__(self, other: "AgainstItself") -> "AgainstItself":
        return AgainstItself(self.settings + other.settings, self.ways + other.ways, self.different + other.different)


def against_itself(studies: Mapping[str, StudyRuns], rules: Rules) -> dict[str, AgainstItself]:
    """Study -> its settings with four seeds or more, each against itself in accuracy on test, one by one.

    A setting that two studies share is counted in the first.
    """
    found = {}
    seen: set[tuple[int, ...]] = set()
    for name, study in studies.items():
        found[name] = AgainstItself()
        for runs in study.values():
            judged = [run for run in runs if run.status.get("test") == "ok"]
            key = tuple(id(run.scores["test"]) for run in judged)
            if len(judged) >= LEAST_SEEDS and key not in seen:
                seen.add(key)
                found[name] += _compared(judged, rules)
    return found


def _compared(runs: Sequence[Run], rules: Rules) -> AgainstItself:
    scores = [run.scores["test"] for run in runs]
    resamples = Resamples(scores, rules.resamples, rules.seed)
    of_runs = [sample([one], "accuracy", resamples) for one in scores]  # each once, and not in each half anew
    halves = _halves(len(runs))
    different = 0
    for half in halves:
        rest = [one for i, one in enumerate(of_runs) if i not in half]
        estimate = difference(pooled([of_runs[i] for i in half]), pooled(rest))
        different += estimate.p_value(0.0) < 1 - rules.confidence
    return AgainstItself(1, len(halves), different)


def _halves(count: int) -> list[tuple[int, ...]]:
    """Ways to choose half of ``count``, each pair of halves once."""
    halves = [half for half in itertools.combinations(range(count), count // 2) if count % 2 or 0 in half]
    if len(halves) > MOST_WAYS:
        drawn = np.random.default_rng(0).choice(len(halves), MOST_WAYS, replace=False)
        halves = [halves[i] for i in sorted(drawn)]
    return halves
