"""A setting against itself is called different as often as the level allows, and no oftener."""

import math

import numpy as np
import pytest

from cxrbench.evaluation.comparisons import Contrast, Rules, Run, compare
from cxrbench.evaluation.resampling import Scores
from cxrbench.evaluation.same import MOST_WAYS, AgainstItself, _halves, against_itself

RULES = Rules(confidence=0.95, margin=0.01, resamples=200, seed=0)


def runs(seeds, rng, spread=0.3, status="ok"):
    """Runs of one setting on 100 images: the patient moves all alike, the seed moves a run's skill."""
    target = np.arange(100) % 2
    hard = rng.normal(size=100)
    found = []
    for seed in range(seeds):
        latent = (2 * target - 1) * (1.2 + spread * rng.normal()) / 2 + 0.6 * hard + 0.8 * rng.normal(size=100)
        scores = Scores(np.arange(100).astype(str), target, 1 / (1 + np.exp(-latent)))
        found.append(Run(seed, {"test": status}, {"test": scores}, {}))
    return found


def test_few_of_the_comparisons_of_a_setting_with_itself_are_called_different():
    rng = np.random.default_rng(0)
    found = sum(against_itself({f"s{n}": {"a": runs(6, rng)} for n in range(40)}, RULES).values(), AgainstItself())
    assert (found.settings, found.ways) == (40, 400)
    assert found.different / found.ways < 0.05


def test_runs_that_two_studies_share_are_compared_once_and_too_few_or_bad_ones_never():
    rng = np.random.default_rng(1)
    shared = runs(4, rng)
    found = against_itself({"a": {"y": runs(3, rng), "x": shared}, "b": {"x": shared}}, RULES)
    assert (found["a"].settings, found["a"].ways) == (1, 3)
    assert found["b"] == AgainstItself()
    assert against_itself({"a": {"x": runs(6, rng, status="degenerate")}}, RULES) == {"a": AgainstItself()}


@pytest.mark.parametrize(("seeds", "ways"), [(10, 126), (12, 126)])
def test_ten_seeds_are_parted_in_all_ways_and_of_more_seeds_some_are_drawn(seeds, ways):
    assert against_itself({"a": {"x": runs(seeds, np.random.default_rng(2))}}, RULES)["a"].ways == ways


def test_the_halves_are_compared_as_two_settings_of_a_study_are():
    of = runs(6, np.random.default_rng(3), spread=0.9)
    different = 0
    for half in _halves(6):
        parts = {"a": [of[i] for i in half], "b": [run for i, run in enumerate(of) if i not in half]}
        (one,) = compare(parts, [Contrast("accuracy", "test", "a", "b", (0.0, 0.0))], RULES)
        different += one.relation in ("above", "below")
    assert different > 0
    assert against_itself({"a": {"x": of}}, RULES)["a"].different == different


def test_halves_that_do_differ_are_called_so_whichever_is_the_better():
    target = np.arange(100) % 2
    patient = np.arange(100).astype(str)
    wrong = [range(0, 2), range(1, 4), range(50, 90), range(51, 92)]  # two good seeds and two bad ones
    made = [np.where(np.isin(np.arange(100), list(one)), 1 - target, target) for one in wrong]
    for order in (made, made[::-1]):
        of = [Run(i, {"test": "ok"}, {"test": Scores(patient, target, one)}, {}) for i, one in enumerate(order)]
        assert against_itself({"a": {"x": of}}, RULES)["a"].different == 1


@pytest.mark.parametrize("count", [4, 5, 8, 9, 10, 11])
def test_each_way_to_part_the_seeds_is_taken_once_and_the_same_ways_each_time(count):
    ways = _halves(count)
    assert ways == _halves(count)
    assert len({frozenset([half, tuple(i for i in range(count) if i not in half)]) for half in ways}) == len(ways)
    parted = math.comb(count, count // 2) // (1 if count % 2 else 2)
    assert len(ways) == min(parted, MOST_WAYS)
