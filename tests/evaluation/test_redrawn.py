"""Where each seed has a split of its own: the difference is taken within it, and its interval holds the truth."""

import dataclasses

import numpy as np
import pytest

from cxrbench.evaluation.comparisons import Contrast, Rules, Run, compare
from cxrbench.evaluation.redrawn import mean_of_seeds
from cxrbench.evaluation.resampling import Resamples, Scores, difference, sample
from cxrbench.evaluation.same import against_itself

RULES = Rules(confidence=0.95, margin=0.01, resamples=400, seed=0)
ACCURACY = Contrast("accuracy", "test", "a", "b", (-0.01, 0.01))


@pytest.fixture(scope="module")
def simulation(benchmark_module):
    return benchmark_module("redrawn_coverage")


def scores(right, patients):
    """Scores of images of one patient each, of which those in ``right`` are called rightly."""
    right, target = np.asarray(right), np.arange(len(right)) % 2
    return Scores(np.asarray(patients), target, np.where(right == (target == 1), 0.9, 0.1))


def runs(shares, tests, redrawn=True, rng=None):
    """A run a seed: the share of its test images that it calls rightly, and these images' patients."""
    rng = rng or np.random.default_rng(0)
    made = [
        scores(rng.permutation(len(names)) < round(share * len(names)), names) for share, names in zip(shares, tests)
    ]
    return [Run(seed, {"test": "ok"}, {"test": one}, {}, redrawn=redrawn) for seed, one in enumerate(made)]


def apart(seeds, images=100):
    """Test images that no two seeds share."""
    return [[f"s{seed}-{i}" for i in range(images)] for seed in range(seeds)]


def test_what_a_split_does_to_both_settings_alike_leaves_their_difference_alone():
    hard = np.array([0.9, 0.6, 0.8, 0.7, 0.85])  # how easy each seed's split is
    study = {"a": runs(hard + 0.05, apart(5)), "b": runs(hard, apart(5))}
    (one,) = compare(study, [ACCURACY], RULES)
    assert one.value == pytest.approx(0.05)
    fixed = {name: [Run(r.seed, r.status, r.scores, {}) for r in of] for name, of in study.items()}
    (unpaired,) = compare(fixed, [ACCURACY], RULES)
    assert one.high - one.low < (unpaired.high - unpaired.low) / 2


def test_seeds_without_common_images_add_nothing_and_the_same_images_add_their_patients_variance():
    rng = np.random.default_rng(1)
    different, same = apart(4), apart(1) * 4
    for tests in (different, same):
        of = [run.scores["test"] for run in runs([0.7, 0.72, 0.71, 0.69], tests, rng=rng)]
        estimate = mean_of_seeds(of, None, "accuracy", Resamples(of, 4000, 0))
        if tests is different:  # no more than what drawing the resamples by chance leaves
            assert estimate.patient_variance < 0.1 * 0.7 * 0.3 / 100
    assert estimate.patients == 100


def test_one_same_network_for_all_seeds_has_the_patients_variance_of_the_fixed_split():
    one = runs([0.7], apart(1))[0].scores["test"]
    resamples = Resamples([one], 2000, 0)
    shared = mean_of_seeds([one, one, one], None, "accuracy", resamples)
    assert shared.patient_variance == pytest.approx(sample([one], "accuracy", resamples).resampled.var(ddof=1))
    assert shared.seed_variances == pytest.approx((0.0,), abs=1e-12)


def test_the_spread_is_never_taken_for_less_than_what_other_test_images_alone_would_make():
    of_a, of_b = (runs([share] * 3, apart(3)) for share in (0.8, 0.7))  # the very same difference in each seed
    (one,) = compare({"a": of_a, "b": of_b}, [ACCURACY], RULES)
    assert one.high - one.low > 0.1


def test_more_seeds_bring_more_test_images_so_they_decide_what_the_fixed_split_leaves_open():
    rng = np.random.default_rng(2)
    study = {"a": runs([0.80, 0.81, 0.79], apart(3), rng=rng), "b": runs([0.77, 0.78, 0.77], apart(3), rng=rng)}
    (one,) = compare(study, [ACCURACY], RULES)
    assert one.relation == "open"
    assert np.isfinite(one.seeds_needed)


def test_between_a_redrawn_and_a_fixed_split_the_variances_of_both_add_up():
    study = {"a": runs([0.8, 0.75, 0.7], apart(3)), "b": runs([0.7, 0.72, 0.71], apart(1) * 3, redrawn=False)}
    (one,) = compare(study, [ACCURACY], RULES)
    of = {name: [run.scores["test"] for run in each] for name, each in study.items()}
    resamples = Resamples([*of["a"], *of["b"]], RULES.resamples, RULES.seed)
    plain = difference(*(sample(each, "accuracy", resamples) for each in of.values()))
    assert (one.low, one.high) == pytest.approx(plain.interval(0.05))
    (back,) = compare(study, [dataclasses.replace(ACCURACY, a="b", b="a")], RULES)
    assert (back.low, back.high) == pytest.approx((-one.high, -one.low))


def test_a_setting_against_itself_is_seldom_called_different():
    rng = np.random.default_rng(3)
    tests = [list(rng.choice([f"p{i}" for i in range(600)], 60, replace=False)) for _ in range(8)]
    found = [
        against_itself({"s": {"a": runs(rng.normal(0.75, 0.05, 8), tests, rng=rng)}}, RULES)["s"] for _ in range(4)
    ]
    assert sum(one.different for one in found) <= 0.05 * sum(one.ways for one in found)


@pytest.mark.parametrize("metric", ["auc", "f1", "loss"])
def test_other_metrics_have_intervals_too(metric):
    study = {"a": runs([0.8, 0.82, 0.79], apart(3)), "b": runs([0.7, 0.71, 0.74], apart(3))}
    (one,) = compare(study, [Contrast(metric, "test", "a", "b", (-0.01, 0.01))], RULES)
    assert one.value > 0
    assert one.low < one.value < one.high


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [3, 10])
@pytest.mark.parametrize("world", ["shares of the papers' split", "the seed moves much", "tests overlap by two fifths"])
def test_an_interval_over_redrawn_splits_holds_the_true_difference(simulation, world, seeds):
    share, of_mean, half = simulation.coverage(simulation.WORLDS[world], seeds, 150)
    print(f"{world}, {seeds} seeds: {share:.3f} hold the pool's truth, {of_mean:.3f} the mean truth, ± {half:.3f}")
    assert share >= 0.91


def test_an_estimate_says_its_bounds_its_seeds_and_patients_also_where_the_metric_is_undefined():
    shares = (0.7, 0.8, 0.9), (0.6, 0.6, 0.9)
    of_a, of_b = ([run.scores["test"] for run in runs(one, apart(3))] for one in shares)
    resamples = Resamples(of_a, 200, 0)
    one, two = mean_of_seeds(of_a, None, "accuracy", resamples), mean_of_seeds(of_a, of_b, "accuracy", resamples)
    assert (one.bounds, two.bounds) == ((0.0, 1.0), (-1.0, 1.0))
    assert (one.seeds, one.patients) == ((3,), 300)
    assert one.seed_variances == pytest.approx((0.01,))
    ill = [Scores(each.patient, np.ones(100), each.score) for each in of_a]
    undefined = mean_of_seeds(ill, None, "auc", resamples)
    assert np.isnan([undefined.value, undefined.patient_variance, *undefined.seed_variances]).all()
    assert (undefined.seeds, undefined.patients, undefined.bounds) == ((3,), 300, (0.0, 1.0))


def test_settings_that_agree_on_every_image_of_every_seed_still_have_a_patients_variance():
    of = [run.scores["test"] for run in runs([0.7, 0.8, 0.9], apart(3))]
    same = mean_of_seeds(of, of, "accuracy", Resamples(of, 200, 0))
    assert (same.value, same.seed_variances) == (0.0, (0.0,))
    assert same.patient_variance == pytest.approx(1 / 302**2)
