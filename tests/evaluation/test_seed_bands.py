import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score

from cxrbench.evaluation import seed_bands
from cxrbench.evaluation.resampling import Scores

TARGET = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1, 1])
SCORE = np.array([0.1, 0.2, 0.5, 0.7, 0.3, 0.5, 0.6, 0.8, 0.9, 0.9])


def scores(seed, n=400, skill=1.5):
    rng = np.random.default_rng(seed)
    target = np.arange(n) % 2
    return Scores(np.arange(n).astype("str"), target, 1 / (1 + np.exp(-skill * (2 * target - 1) - rng.normal(0, 1, n))))


def test_a_band_holds_the_mean_the_lowest_and_the_highest_run():
    band = seed_bands.over_runs(
        np.array([1.0, 2, 3]), np.array([[1.0, 2, np.nan], [3, 4, np.nan], [5, np.nan, np.nan]])
    )
    assert band.runs.tolist() == [3, 2, 0]
    assert band.mean[:2].tolist() == [3, 3]
    assert (band.low[:2].tolist(), band.high[:2].tolist()) == ([1, 2], [5, 4])
    assert np.isnan([band.mean[2], band.low[2], band.high[2]]).all()


def test_no_runs_make_a_band_without_values():
    assert np.isnan(seed_bands.over_runs(np.array([1.0]), np.empty((0, 1))).mean).all()
    assert np.isnan(seed_bands.roc([]).mean).all()
    assert len(seed_bands.reliability_band([]).x) == 0


def test_a_sensitivity_is_the_best_at_its_false_positive_rate_and_lies_between_two_thresholds_on_the_line():
    rates = np.array([0, 0.125, 0.25, 0.375, 0.5, 1])
    # From the top: 0.9 twice and 0.8 are ones, 0.7 is a zero, then 0.6 a one; at 0.5 one of each, then a one.
    expected = [3 / 6, 3 / 6, 4 / 6, 4.5 / 6, 1, 1]
    assert seed_bands.sensitivity_at(TARGET, SCORE, rates) == pytest.approx(expected)


@given(st.integers(0, 10_000), st.integers(1, 8))
def test_the_area_under_sensitivities_is_the_auc_whatever_ties_there_are(seed, values):
    rng = np.random.default_rng(seed)
    target, score = rng.permutation(np.arange(24) % 2), rng.integers(0, values, 24) / values
    fine = np.unique(np.r_[np.linspace(0, 1, 4001), np.arange(13) / 12])
    area = np.trapezoid(seed_bands.sensitivity_at(target, score, fine), fine)
    assert area == pytest.approx(roc_auc_score(target, score), abs=5e-4)


@given(st.integers(0, 10_000), st.integers(2, 40))
def test_precision_and_recall_are_those_of_scikit_learn(seed, values):
    rng = np.random.default_rng(seed)
    target, score = rng.permutation(np.arange(40) % 2), rng.integers(0, values, 40) / values
    recall, precision = seed_bands.precision_recall_points(target, score)
    theirs, their_recall, _ = precision_recall_curve(target, score)  # from the lowest threshold, closed by (1, 0)
    assert recall == pytest.approx(their_recall[:-1][::-1])
    assert precision == pytest.approx(theirs[:-1][::-1])
    steps = np.diff(np.r_[0, recall])
    assert float(np.sum(steps * precision)) == pytest.approx(average_precision_score(target, score))


def test_a_precision_is_that_of_the_highest_threshold_that_reaches_the_recall():
    found = seed_bands.precision_at(TARGET, SCORE, np.array([0.3, 0.5, 0.6, 1]))
    assert found == pytest.approx([1, 1, 4 / 5, 6 / 8])


@pytest.mark.parametrize("damage", ["one class", "not finite"])
def test_a_run_without_both_classes_or_with_a_score_that_is_not_finite_has_no_curve(damage):
    target = np.zeros(10) if damage == "one class" else TARGET
    score = SCORE if damage == "one class" else np.where(SCORE > 0.8, np.nan, SCORE)
    bad = Scores(np.arange(10), target, score)
    assert np.isnan(seed_bands.roc([bad]).mean).all()
    assert np.isnan(seed_bands.precision_recall([bad]).mean).all()
    good = scores(0)
    beside = seed_bands.roc([bad, good])
    assert beside.runs.max() == 1
    assert np.array_equal(beside.mean, seed_bands.roc([good]).mean)


def test_reliability_takes_one_set_of_bins_for_all_runs_and_its_band_holds_the_mean():
    runs = [scores(seed) for seed in range(3)]
    band = seed_bands.reliability_band(runs)
    assert band.images is not None
    assert band.images.tolist() == [120] * 10
    ones = sum(int((one.target == 1).sum()) for one in runs)
    assert float(np.sum(band.mean * band.images)) == pytest.approx(ones)
    assert ((band.low <= band.mean) & (band.mean <= band.high)).all()
    assert (np.diff(band.x) > 0).all()
    assert (band.runs == 3).all()


def test_a_run_that_says_one_score_has_one_bin_and_a_diverged_run_none():
    same = Scores(np.arange(10), TARGET, np.full(10, 0.7))
    diverged = Scores(np.arange(10), TARGET, np.full(10, np.nan))
    band = seed_bands.reliability_band([same, diverged])
    assert (band.x.tolist(), band.mean.tolist(), band.runs.tolist()) == ([pytest.approx(0.7)], [0.6], [1])


def test_a_band_is_of_the_curves_of_its_runs_at_the_places_that_were_asked_for():
    runs, places = [scores(0), scores(1)], np.array([0.1, 0.5, 0.9])
    kinds = {seed_bands.roc: seed_bands.sensitivity_at, seed_bands.precision_recall: seed_bands.precision_at}
    for band, curve in kinds.items():
        found, each = band(runs, places), [curve(one.target, one.score, places) for one in runs]
        assert found.x.tolist() == places.tolist()
        assert found.mean == pytest.approx(np.mean(each, axis=0))
        assert (found.low.tolist(), found.high.tolist()) == (np.min(each, 0).tolist(), np.max(each, 0).tolist())


def test_a_run_without_an_image_in_a_bin_has_no_share_there_and_each_other_its_own():
    low = Scores(np.arange(4), np.array([0, 1, 0, 0]), np.array([0.1, 0.1, 0.5, 0.5]))
    all_over = Scores(np.arange(5), np.array([1, 1, 0, 1, 1]), np.array([0.1, 0.5, 0.9, 0.9, 0.9]))
    band = seed_bands.reliability_band([low, all_over], 3)
    assert band.images.tolist() == [3, 3, 3]
    assert band.runs.tolist() == [2, 2, 1]
    assert band.low.tolist() == pytest.approx([0.5, 0.0, 2 / 3])
    assert band.high.tolist() == pytest.approx([1.0, 1.0, 2 / 3])
