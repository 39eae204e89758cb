"""A metric of one's own beside the others: its value, its intervals, its direction."""

import types

import numpy as np
import pytest

from cxrbench.base import plugins
from cxrbench.evaluation.comparisons import Contrast, Rules, compare
from cxrbench.evaluation.metrics import weighted_auc
from cxrbench.evaluation.summaries import summarise
from cxrbench.reporting import own_metrics
from tests.evaluation.test_best_group import drawn
from tests.reporting.test_tables import metrics_of


def share_right(target, score, weights):
    return weights @ ((score >= 0.5) == (target == 1)) / weights.sum(axis=1)


MODULES = {
    "mine": types.SimpleNamespace(TITLE="Mine, %", value=share_right, PERCENT=True),
    "errors": types.SimpleNamespace(
        TITLE="Errors", value=lambda *given: 100 * (1 - share_right(*given)), LOWER_IS_BETTER=True, MOST=100.0
    ),
    "auc_again": types.SimpleNamespace(TITLE="AUC again", value=weighted_auc),
}


@pytest.fixture(autouse=True)
def installed(monkeypatch):
    known = plugins.load
    monkeypatch.setattr(plugins, "load", lambda kind, name: MODULES[name] if kind == "metric" else known(kind, name))


RULES = Rules(confidence=0.95, margin=0.01, resamples=200, seed=0, metrics=["mine", "errors"])
RUNS = drawn(np.random.default_rng(3), (2.2, 3.0))


def answers(metric, a="s1", b="s0"):
    (one,) = compare(RUNS, [Contrast(metric, "test", a, b, (-0.01, 0.01))], RULES)
    return one


@pytest.mark.parametrize(("metric", "same"), [("mine", "accuracy"), ("auc_again", "auc")])
@pytest.mark.parametrize("b", ["s0", None])
def test_a_copy_of_a_metric_has_its_value_and_its_interval(metric, same, b):
    found, wanted = answers(metric, b=b), answers(same, b=b)
    for name in ("value", "low", "high", "confidence", "patients"):
        assert getattr(found, name) == pytest.approx(getattr(wanted, name), abs=1e-6)
    assert found.relation == wanted.relation


def test_where_low_is_good_the_lower_one_is_better_and_its_bounds_are_its_own():
    found, accuracy = answers("errors"), answers("accuracy")
    assert found.value == pytest.approx(100 * accuracy.value)
    assert answers("errors", "s0", "s1").value == -found.value
    assert -100 <= found.low < found.high <= 100


def test_the_table_has_a_mean_and_a_difference_to_the_winner_for_each_setting():
    summary = summarise(metrics_of({"s0": 0.9, "s1": 0.95}, study="s"), "s", ["s0", "s1"], (0, 1, 2))
    table = own_metrics.table([summary], RUNS, RULES)
    assert [head.split("\n")[0] for head in table.heads] == ["Setting", "Mine, %", "Mine, %", "Errors", "Errors"]
    (first, mine, less, errors, _), (winner, *_, of_winner) = table.rows
    assert (first, winner, of_winner) == ("s0", "s1", "winner")
    accuracies = [run.scores["test"].right.mean() for run in RUNS["s0"]]
    assert mine == f"{100 * np.mean(accuracies):.2f} ± {100 * np.std(accuracies, ddof=1):.2f}"
    assert errors.startswith(f"{100 * (1 - np.mean(accuracies)):.4f} ± ")
    assert less.startswith(f"{100 * -answers('mine').value:+.2f}".replace("-", "−"))


def test_without_a_metric_of_ones_own_there_is_no_table():
    summary = summarise(metrics_of({"s0": 0.9}, study="s"), "s", ["s0"], (0, 1, 2))
    assert own_metrics.table([summary], RUNS, Rules(0.95, 0.01, 200, 0)) is None
