"""The threshold is the one of greatest sensitivity + specificity, and it is used as it was chosen."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, roc_curve

from cxrbench.evaluation.thresholds import accuracy_at, youden

images = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 20)), min_size=2, max_size=60).filter(
    lambda pairs: len({target for target, _ in pairs}) == 2
)


def arrays(pairs):
    return np.array([pair[0] for pair in pairs]), np.array([pair[1] / 20 for pair in pairs])


@settings(max_examples=150)
@given(images)
def test_no_threshold_of_scikit_learns_roc_curve_is_better(pairs):
    target, score = arrays(pairs)
    false, true, _ = roc_curve(target, score, drop_intermediate=False)
    called = score >= youden(target, score)
    ours = called[target == 1].mean() - called[target == 0].mean()
    assert ours == pytest.approx((true - false).max())


def test_of_equal_thresholds_the_one_nearest_to_a_half_is_taken():
    target, score = np.array([0, 1, 0, 1]), np.array([0.1, 0.3, 0.4, 0.6])  # J is a half at 0.3 and at 0.6
    assert youden(target, score) == 0.6
    assert youden(target, np.array([0.1, 0.4, 0.5, 0.6])) == 0.4  # as far from a half as 0.6 is
    assert youden(target, np.full(4, 0.7)) == 0.7


def test_without_two_classes_or_with_a_score_that_is_not_finite_there_is_no_threshold():
    assert math.isnan(youden(np.array([1, 1]), np.array([0.1, 0.9])))
    assert math.isnan(youden(np.array([0, 1]), np.array([0.1, math.nan])))
    assert math.isnan(youden(np.empty(0, dtype=int), np.empty(0)))


@settings(max_examples=80)
@given(images, st.integers(0, 20))
def test_the_accuracy_at_a_threshold_is_scikit_learns(pairs, at):
    target, score = arrays(pairs)
    called = (score >= at / 20).astype(int)
    assert accuracy_at(at / 20, target, score) == pytest.approx(accuracy_score(target, called))


@pytest.mark.parametrize(("threshold", "score"), [(math.nan, [0.1, 0.9]), (0.5, [0.1, math.nan]), (0.5, [])])
def test_an_undefined_accuracy_is_not_a_number(threshold, score):
    assert math.isnan(accuracy_at(threshold, np.array([0, 1])[: len(score)], np.array(score)))
