import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn

from cxrbench.base import plugins
from cxrbench.evaluation.metrics import (
    METRICS,
    OwnMetric,
    evaluate,
    lower_is_better,
    most,
    own,
    roc_points,
    weighted_auc,
)

images = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 20)), min_size=1, max_size=60)


def arrays(pairs):
    target = np.array([pair[0] for pair in pairs])
    return target, np.array([pair[1] / 20 for pair in pairs])


@settings(max_examples=150)
@given(images)
def test_every_metric_agrees_with_scikit_learn(pairs):
    target, score = arrays(pairs)
    called = (score >= 0.5).astype(int)
    _, ours = evaluate(target, score)
    assert ours["accuracy"] == pytest.approx(sklearn.accuracy_score(target, called))
    assert ours["mse"] == pytest.approx(np.mean((target - score) ** 2))
    clipped = np.clip(score, 1e-7, 1 - 1e-7)
    assert ours["loss"] == pytest.approx(sklearn.log_loss(target, clipped, labels=[0, 1]))
    for name, wanted in (
        ("precision", sklearn.precision_score(target, called, zero_division=np.nan)),
        ("recall", sklearn.recall_score(target, called, zero_division=np.nan)),
        ("specificity", sklearn.recall_score(target, called, pos_label=0, zero_division=np.nan)),
        ("f1", sklearn.f1_score(target, called, zero_division=np.nan)),
        ("auc", sklearn.roc_auc_score(target, score) if len(set(target)) == 2 else np.nan),
    ):
        assert ours[name] == pytest.approx(wanted, nan_ok=True), name


@settings(max_examples=80)
@given(images, st.integers(0, 10_000))
def test_a_weighted_auc_is_the_auc_of_repeated_images(pairs, seed):
    target, score = arrays(pairs)
    weights = np.random.default_rng(seed).integers(0, 3, (2, len(score)))
    for row, ours in zip(weights, weighted_auc(target, score, weights)):
        repeated = np.repeat(target, row)
        wanted = sklearn.roc_auc_score(repeated, np.repeat(score, row)) if len(set(repeated)) == 2 else np.nan
        assert ours == pytest.approx(wanted, nan_ok=True)


@settings(max_examples=80)
@given(images.filter(lambda pairs: len({target for target, _ in pairs}) == 2))
def test_the_area_under_the_roc_points_is_the_auc(pairs):
    target, score = arrays(pairs)
    false, true = roc_points(target, score, most=1000)
    assert (false[0], true[0], false[-1], true[-1]) == (0, 0, 1, 1)
    assert np.trapezoid(true, false) == pytest.approx(evaluate(target, score)[1]["auc"])


def test_a_thinned_roc_curve_keeps_its_ends_and_nearly_its_area():
    rng = np.random.default_rng(0)
    target = rng.integers(0, 2, 2000)
    score = 1 / (1 + np.exp(-(2 * target - 1 + rng.normal(size=2000))))
    false, true = roc_points(target, score)
    assert 50 <= len(false) <= 60
    assert (false[0], true[0], false[-1], true[-1]) == (0, 0, 1, 1)
    assert np.trapezoid(true, false) == pytest.approx(evaluate(target, score)[1]["auc"], abs=0.003)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_one_score_that_is_not_finite_makes_a_run_diverged_without_any_metric(bad):
    status, values = evaluate(np.array([0, 1, 1]), np.array([0.1, bad, 0.9]))
    assert status == "diverged"
    assert list(values) == list(METRICS)
    assert all(math.isnan(value) for value in values.values())
    assert len(roc_points(np.array([0, 1]), np.array([0.1, bad]))[0]) == 0


@pytest.mark.parametrize(("score", "status"), [(0.9, "degenerate"), (0.1, "degenerate"), (None, "ok")])
def test_a_run_that_calls_one_class_only_is_degenerate(score, status):
    scores = np.array([0.2, 0.8]) if score is None else np.full(2, score)
    assert evaluate(np.array([0, 1]), scores)[0] == status


def test_precision_without_a_positive_call_is_undefined_and_f1_is_zero():
    values = evaluate(np.array([0, 1]), np.array([0.1, 0.2]))[1]
    assert math.isnan(values["precision"])
    assert values["f1"] == 0


def test_a_certain_wrong_call_costs_a_finite_loss():
    assert evaluate(np.array([1]), np.array([0.0]))[1]["loss"] == pytest.approx(-math.log(1e-7))


def test_a_metric_of_ones_own_that_says_no_more_is_a_share_of_which_much_is_good(monkeypatch):
    module = SimpleNamespace(TITLE="Balance", value=weighted_auc)
    monkeypatch.setattr(plugins, "load", lambda kind, name: {("metric", "balance"): module}[kind, name])
    assert own("balance") == OwnMetric("Balance", weighted_auc, percent=False, lower_is_better=False, most=1.0)
    assert (lower_is_better("balance"), most("balance")) == (False, 1.0)
    module.LOWER_IS_BETTER, module.MOST, module.PERCENT = True, 9.0, True
    assert (lower_is_better("balance"), most("balance"), own("balance").percent) == (True, 9.0, True)
