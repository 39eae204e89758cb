"""Calibration agrees with scikit-learn and statsmodels, and says nothing where nothing can be said."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn import calibration as sklearn_calibration
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss

from cxrbench.evaluation.calibration import brier_score, calibration, calibration_line, expected_error, reliability

images = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 20)), min_size=1, max_size=60)


def arrays(pairs):
    return np.array([pair[0] for pair in pairs]), np.array([pair[1] / 20 for pair in pairs])


def simulated(seed, n=400, slope=1.0, intercept=0.0):
    """Targets drawn from a chance whose logit is intercept + slope * logit(score)."""
    rng = np.random.default_rng(seed)
    logit = rng.normal(0, 2, n)
    target = (rng.random(n) < 1 / (1 + np.exp(-(intercept + slope * logit)))).astype(int)
    return target, 1 / (1 + np.exp(-logit))


@settings(max_examples=100)
@given(images)
def test_the_brier_score_is_scikit_learns(pairs):
    target, score = arrays(pairs)
    assert brier_score(target, score) == pytest.approx(brier_score_loss(target, score, labels=[0, 1]))


@pytest.mark.parametrize("seed", range(5))
def test_the_reliability_curve_of_untied_scores_is_scikit_learns(seed):
    target, score = simulated(seed)
    share, mean = sklearn_calibration.calibration_curve(target, score, n_bins=10, strategy="quantile")
    curve = reliability(target, score)
    assert curve.images.tolist() == [40] * 10
    assert curve.share == pytest.approx(share)
    assert curve.score == pytest.approx(mean)


@settings(max_examples=150)
@given(images, st.integers(1, 12), st.integers(0, 1000))
def test_a_curve_holds_each_image_once_parts_no_tie_and_knows_no_order(pairs, bins, seed):
    target, score = arrays(pairs)
    curve = reliability(target, score, bins)
    assert 1 <= len(curve.images) <= bins
    assert curve.images.sum() == len(score)
    assert (curve.images > 0).all()
    assert np.sum(curve.images * curve.score) == pytest.approx(score.sum())
    assert np.sum(curve.images * curve.share) == pytest.approx(target.sum())
    ranked, ends = np.sort(score), np.cumsum(curve.images)[:-1]
    assert (ranked[ends - 1] < ranked[ends]).all()
    order = np.random.default_rng(seed).permutation(len(score))
    again = reliability(target[order], score[order], bins)
    assert again.images.tolist() == curve.images.tolist()
    assert again.share == pytest.approx(curve.share)


def test_the_expected_error_is_the_mean_gap_weighed_by_images():
    target, score = np.array([0, 0, 1, 1, 1]), np.array([0.1, 0.3, 0.3, 0.7, 0.9])
    curve = reliability(target, score, 2)  # three images end at the tie of 0.3, two are left
    assert curve.images.tolist() == [3, 2]
    assert expected_error(curve) == pytest.approx((3 * 0.1 + 2 * 0.2) / 5)


def test_an_expected_error_is_that_of_so_many_bins():
    target, score = simulated(0)
    found = [calibration(target, score, bins).ece for bins in (3, 10)]
    assert found == [expected_error(reliability(target, score, bins)) for bins in (3, 10)]
    assert found[0] != found[1]


@settings(max_examples=80)
@given(images, st.integers(1, 12))
def test_the_expected_error_lies_between_the_mean_gap_of_all_and_one(pairs, bins):
    target, score = arrays(pairs)
    error = expected_error(reliability(target, score, bins))
    assert abs(target.mean() - score.mean()) - 1e-12 <= error <= 1


def test_honest_scores_have_a_line_of_slope_1_and_a_small_expected_error():
    target, score = simulated(0, n=100_000)
    found = calibration(target, score)
    assert found.intercept == pytest.approx(0, abs=0.03)
    assert found.slope == pytest.approx(1, abs=0.03)
    assert found.ece < 0.01


def test_scores_twice_too_extreme_have_half_the_slope():
    target, score = simulated(1, n=100_000, slope=0.5, intercept=-0.7)
    intercept, slope = calibration_line(target, score)
    assert (intercept, slope) == (pytest.approx(-0.7, abs=0.03), pytest.approx(0.5, abs=0.03))
    assert expected_error(reliability(target, score)) > 0.1


@pytest.mark.parametrize("seed", range(6))
def test_the_calibration_line_is_scikit_learns(seed):
    target, score = simulated(seed, n=300, slope=0.3 + seed, intercept=seed - 3)
    fitted = LogisticRegression(C=1e12, tol=1e-10, max_iter=10_000).fit(np.log(score / (1 - score))[:, None], target)
    wanted = (float(fitted.intercept_[0]), float(fitted.coef_[0, 0]))
    assert calibration_line(target, score) == pytest.approx(wanted, rel=1e-3, abs=1e-3)


@settings(max_examples=30)
@given(images)
def test_the_calibration_line_is_statsmodels(pairs):
    import statsmodels.api as sm

    target, score = arrays(pairs)
    ours = calibration_line(target, score)
    assume(not math.isnan(ours[1]))
    clipped = np.clip(score, 1e-7, 1 - 1e-7)
    design = sm.add_constant(np.log(clipped / (1 - clipped)), has_constant="add")
    fitted = sm.GLM(target, design, family=sm.families.Binomial()).fit(maxiter=300, tol=1e-14)
    assert ours == pytest.approx(tuple(fitted.params), rel=1e-5, abs=1e-6)


@settings(max_examples=150)
@given(images)
def test_at_the_calibration_line_the_likelihood_has_no_slope(pairs):
    """The two likelihood equations hold: residuals sum to 0, by themselves and times the logit."""
    target, score = arrays(pairs)
    intercept, slope = calibration_line(target, score)
    ones, zeros = score[target == 1], score[target == 0]
    parted = not len(ones) or not len(zeros) or ones.min() >= zeros.max() or zeros.min() >= ones.max()
    assert math.isnan(slope) == math.isnan(intercept) == parted
    if not parted:
        clipped = np.clip(score, 1e-7, 1 - 1e-7)
        logit = np.log(clipped / (1 - clipped))
        residual = target - 1 / (1 + np.exp(-(intercept + slope * logit)))
        assert residual.sum() == pytest.approx(0, abs=1e-5)
        assert (residual * logit).sum() == pytest.approx(0, abs=1e-4)


def test_a_rare_class_with_far_scores_on_which_plain_newton_runs_away_has_its_line():
    logit = np.repeat([7.36, -14.27, 10.17], [5000, 2, 2])
    target = np.zeros(5004, dtype=int)
    target[[0, -1]] = 1
    intercept, slope = calibration_line(target, 1 / (1 + np.exp(-logit)))
    residual = target - 1 / (1 + np.exp(-(intercept + slope * logit)))
    assert slope == pytest.approx(3.03, abs=0.01)
    assert (residual.sum(), (residual * logit).sum()) == (pytest.approx(0, abs=1e-6), pytest.approx(0, abs=1e-5))


def test_one_image_on_the_wrong_side_still_gives_a_finite_line():
    logit = np.linspace(-9, 9, 1000)
    target = (logit > 0).astype(int)
    target[[499, 500]] = target[[500, 499]]
    intercept, slope = calibration_line(target, 1 / (1 + np.exp(-logit)))
    assert intercept == pytest.approx(0, abs=1e-6)
    assert 10 < slope < 1000


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_score_that_is_not_finite_leaves_no_figure(bad):
    target, score = np.array([0, 1, 0, 1]), np.array([0.1, bad, 0.9, 0.4])
    assert all(math.isnan(value) for value in dataclasses.astuple(calibration(target, score)))
    assert len(reliability(target, score).images) == 0


def test_no_image_leaves_no_figure():
    curve = reliability(np.empty(0), np.empty(0))
    assert [len(one) for one in (curve.score, curve.share, curve.images)] == [0, 0, 0]
    found = calibration(np.empty(0, dtype=int), np.empty(0))
    assert all(math.isnan(value) for value in dataclasses.astuple(found))


def test_one_class_has_a_brier_score_and_no_line():
    found = calibration(np.ones(4, dtype=int), np.array([0.5, 0.6, 0.7, 0.8]))
    assert found.brier == pytest.approx((0.25 + 0.16 + 0.09 + 0.04) / 4)
    assert found.ece == pytest.approx(0.35)
    assert math.isnan(found.slope)


def test_perfect_scores_have_no_error_and_no_line():
    target = np.array([0, 0, 1, 1])
    found = calibration(target, target.astype(float))
    assert (found.brier, found.ece) == (0, 0)
    assert math.isnan(found.slope)


def test_one_score_for_all_has_one_bin_and_no_line():
    target, score = np.array([0, 1, 1, 1]), np.full(4, 0.7)
    assert reliability(target, score).images.tolist() == [4]
    assert calibration(target, score).ece == pytest.approx(0.05)
    assert math.isnan(calibration(target, score).slope)


def test_arrays_of_different_lengths_and_no_bins_are_errors():
    with pytest.raises(ValueError, match="2 targets and 3 scores"):
        calibration(np.array([0, 1]), np.array([0.1, 0.2, 0.3]))
    with pytest.raises(ValueError, match="0 bins"):
        reliability(np.array([0, 1]), np.array([0.1, 0.2]), 0)
