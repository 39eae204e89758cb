import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrbench.evaluation.resampling import (
    Estimate,
    Resamples,
    Scores,
    difference,
    mean,
    patient_weights,
    sample,
    time,
    time_difference,
)

RESAMPLES = 200


def simulated_runs(rng, hardness, skills, seed_sd):
    """Runs on the same images: an image is called right where skill, with noise of the seed, exceeds its hardness."""
    runs = []
    for skill in skills:
        right = skill + rng.normal(0, seed_sd) + rng.normal(0, 0.6, len(hardness)) > hardness
        patient = np.array([f"p{i // 2}" for i in range(len(hardness))])
        target = np.arange(len(hardness)) % 2
        runs.append(Scores(patient, target, np.where(right, target, 1 - target) * 0.8 + 0.1))
    return runs


def estimate_of(a, b, metric="accuracy"):
    resamples = Resamples([*a, *b], RESAMPLES, 0)
    return difference(sample(a, metric, resamples), sample(b, metric, resamples))


@pytest.mark.parametrize("seed_sd", [0.0, 0.1, 0.4])
def test_the_interval_holds_the_true_difference_about_as_often_as_it_says(seed_sd):
    from scipy.stats import norm

    rng = np.random.default_rng(int(100 * seed_sd))
    spread = math.sqrt(1 + 0.36 + seed_sd**2)  # hardness, noise of image and seed, noise of seed
    truth = norm.cdf(1.5 / spread) - norm.cdf(1.2 / spread)
    held = 0
    for _ in range(300):
        hardness = np.repeat(rng.normal(size=80), 2)  # two alike images a patient
        a, b = (simulated_runs(rng, hardness, [skill] * 3, seed_sd) for skill in (1.5, 1.2))
        low, high = estimate_of(a, b).interval(0.05)
        held += low <= truth <= high
    print(f"seed SD {seed_sd}: {held} of 300 intervals hold the truth")
    assert held >= 0.92 * 300  # nominal 285; it errs to the wide side


def test_seeds_that_scatter_widen_the_interval():
    rng = np.random.default_rng(0)
    hardness = rng.normal(size=400)
    narrow = estimate_of(*(simulated_runs(rng, hardness, [s] * 3, 0.0) for s in (1, 1)))
    wide = estimate_of(*(simulated_runs(rng, hardness, [s] * 3, 1.0) for s in (1, 1)))
    assert np.diff(wide.interval(0.05)) > 3 * np.diff(narrow.interval(0.05))


@given(st.integers(0, 10**6), st.sampled_from(["accuracy", "auc", "f1", "mse"]))
def test_no_interval_reaches_beyond_what_the_metric_can_be(seed, metric):
    rng = np.random.default_rng(seed)
    hardness = rng.normal(size=12)
    a, b = (simulated_runs(rng, hardness, rng.normal(0, 4, 2), 2.0) for _ in range(2))
    low, high = estimate_of(a, b, metric).interval(0.001)
    assert -1 <= low <= high <= 1
    low, high = mean(sample(a, metric, Resamples(a, RESAMPLES, 0))).interval(0.001)
    assert 0 <= low <= high <= 1


def test_settings_that_agree_on_every_image_still_have_an_interval():
    runs = simulated_runs(np.random.default_rng(0), np.full(20, -9.0), [1, 1, 1], 0)
    low, high = estimate_of(runs, runs).interval(0.05)
    assert low < -0.1 < 0.1 < high  # ten patients say little
    agreed = estimate_of(runs, runs)
    assert agreed.patient_variance == pytest.approx(1 / (agreed.patients + 2) ** 2)


def test_a_metric_that_no_resample_defines_gives_no_number_and_says_of_how_many_seeds_and_patients():
    runs = [Scores(np.array(["p", "q"]), np.ones(2), np.array([0.2, 0.8]))] * 3
    undefined = mean(sample(runs, "auc", Resamples(runs, 20, 0)))
    assert np.isnan([undefined.value, undefined.patient_variance]).all()
    assert (undefined.seeds, undefined.patients, undefined.bounds) == ((3,), 2, (0.0, 1.0))


def test_a_pair_of_settings_is_as_far_apart_either_way_round():
    rng = np.random.default_rng(1)
    hardness = rng.normal(size=100)
    a, b = (simulated_runs(rng, hardness, [skill] * 3, 0.2) for skill in (1.5, 0.5))
    for metric in ("accuracy", "auc", "loss", "f1"):
        there, back = estimate_of(a, b, metric), estimate_of(b, a, metric)
        assert there.value == pytest.approx(-back.value)
        assert there.interval(0.05) == pytest.approx(tuple(-end for end in back.interval(0.05)[::-1]))


def test_images_of_one_patient_are_drawn_together():
    rng = np.random.default_rng(2)
    scores = rng.uniform(size=60)
    target = rng.integers(0, 2, 60)
    once = Scores(np.array([f"p{i}" for i in range(60)]), target, scores)
    twice = Scores(np.tile(once.patient, 2), np.tile(target, 2), np.tile(scores, 2))
    resamples = Resamples([once], RESAMPLES, 0)
    for metric in ("accuracy", "auc"):
        single, double = (mean(sample([run, run], metric, resamples)) for run in (once, twice))
        assert single.error == pytest.approx(double.error)


def test_the_same_seed_draws_the_same_patients_and_every_resample_is_whole():
    weights = patient_weights(31, 50, 7)
    assert np.array_equal(weights, patient_weights(31, 50, 7))
    assert (weights.sum(axis=1) == 31).all()


def test_a_time_is_compared_as_a_share():
    estimate = time_difference(np.array([2.2, 2.2]), np.array([2.0, 2.0]))
    assert math.expm1(estimate.value) == pytest.approx(0.1)
    mean = time(np.array([2.0, 4.0]))
    assert (mean.value, mean.bounds) == (3.0, (0.0, math.inf))
    assert mean.patients == estimate.patients == 0


def test_p_value_and_interval_tell_the_same_story():
    rng = np.random.default_rng(3)
    hardness = rng.normal(size=100)
    estimate = estimate_of(*(simulated_runs(rng, hardness, [skill] * 3, 0.1) for skill in (1.5, 0.5)))
    low, _ = estimate.interval(0.05)
    assert estimate.p_value(low) == pytest.approx(0.05)


def test_the_number_of_seeds_is_the_first_at_which_the_same_means_and_spreads_leave_the_edge_out():
    now = Estimate(0.04, (0.03**2, 0.02**2), (3, 3), 0.005**2, 400)
    needed = now.seeds_to_leave_out([-0.01, 0.01], 0.05)
    assert 3 < needed < 100

    def low_of_a_short_repeat(n):
        short = 0.8416 * math.sqrt(sum(now.seed_variances) / n)  # four of five repeats fall less short
        return Estimate(0.04 - short, now.seed_variances, (n, n), now.patient_variance, 400).interval(0.05)[0]

    assert low_of_a_short_repeat(needed - 1) <= 0.01 < low_of_a_short_repeat(needed)


def test_no_number_of_seeds_leaves_out_an_edge_that_the_patients_alone_cover():
    assert Estimate(0.04, (0.001,), (3,), 0.02**2, 400).seeds_to_leave_out([0.01], 0.05) == math.inf
    assert Estimate(0.04, (0.001,), (3,), 0.01**2, 400).seeds_to_leave_out([0.01], 0.05) < math.inf


@pytest.mark.parametrize(("times", "least", "most"), [(0.5, 0.2, 0.65), (1, 0.74, 0.88), (3, 0.98, 1)])
def test_with_the_named_number_of_seeds_four_of_five_repeats_decide(times, least, most):
    truth, seed_sd, patient_sd, edge = 0.04, 0.03, 0.005, 0.01
    needed = Estimate(truth, (seed_sd**2,) * 2, (3, 3), patient_sd**2, 400).seeds_to_leave_out([-edge, edge], 0.05)
    n = round(times * needed)
    rng = np.random.default_rng(5)
    decided = 0
    for _ in range(1000):
        a, b = rng.normal(truth, seed_sd, n), rng.normal(0, seed_sd, n)
        value = a.mean() - b.mean()  # the test images stay
        again = Estimate(value, (a.var(ddof=1), b.var(ddof=1)), (n, n), patient_sd**2, 400)
        decided += again.interval(0.05)[0] > edge
    print(f"{n} seeds ({times} times those needed): {decided} of 1000 repeats decide")
    assert least <= decided / 1000 <= most


def test_the_error_that_a_few_seeds_foretell_for_many_is_the_error_that_many_have():
    rng = np.random.default_rng(8)
    ratios = []
    for _ in range(25):
        hardness = np.repeat(rng.normal(size=100), 2)
        a, b = (simulated_runs(rng, hardness, [skill] * 24, 0.3) for skill in (1.5, 1.2))
        few, many = estimate_of(a[:6], b[:6]), estimate_of(a, b)
        ratios.append(dataclasses.replace(few, seeds=(24, 24)).error / many.error)
    print(f"foretold error / error with 24 seeds: {np.mean(ratios):.2f}")
    assert 0.9 < np.mean(ratios) < 1.25  # it errs to the wide side: patients and seeds interact
