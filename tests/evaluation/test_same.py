"""A setting against itself is called different as often as the level allows, and no oftener."""

import numpy as np

from cxrbench.evaluation.comparisons import Rules, Run
from cxrbench.evaluation.resampling import Scores
from cxrbench.evaluation.same import against_itself

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
    found = against_itself({f"s{n}": {"a": runs(6, rng)} for n in range(40)}, RULES)
    assert (found.settings, found.ways) == (40, 400)
    assert found.different / found.ways < 0.05


def test_runs_that_two_studies_share_are_compared_once_and_too_few_or_bad_ones_never():
    rng = np.random.default_rng(1)
    shared = runs(4, rng)
    found = against_itself({"a": {"x": shared, "y": runs(3, rng)}, "b": {"x": shared}}, RULES)
    assert (found.settings, found.ways) == (1, 3)
    assert against_itself({"a": {"x": runs(6, rng, status="degenerate")}}, RULES).ways == 0


def test_of_many_seeds_some_ways_are_drawn():
    assert against_itself({"a": {"x": runs(10, np.random.default_rng(2))}}, RULES).ways == 35
