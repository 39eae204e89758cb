"""The split's share of the spread over seeds: right for a known truth, and silent where three seeds can't say."""

import math

import numpy as np
import pytest
from scipy.stats import f

from cxrbench.evaluation.spread import METRICS, split_share, spreads
from cxrbench.evaluation.summaries import Row, Stat


def stat(*values):
    return Stat(tuple(values))


@pytest.mark.parametrize(("seeds", "truth"), [(3, 0.5), (10, 0.5), (10, 0.0), (5, 0.9)])
def test_its_interval_holds_the_true_share(seeds, truth):
    rng, held = np.random.default_rng(0), 0
    for _ in range(2000):
        fixed, redrawn = rng.normal(0, math.sqrt(1 - truth), seeds), rng.normal(0, 1, seeds)
        share = split_share(stat(*fixed), stat(*redrawn), 0.95)
        held += share.low <= truth <= share.high
    assert 0.935 <= held / 2000 <= 0.99  # an interval that is cut at 0 always holds a share of 0


def test_three_seeds_say_next_to_nothing_and_ten_say_something():
    three = split_share(stat(0.80, 0.81, 0.82), stat(0.78, 0.81, 0.84), 0.95)
    assert three.value == pytest.approx(1 - 1 / 9)
    assert (three.low, three.high > 0.99) == (0.0, True)
    ten = np.linspace(-1, 1, 10)
    assert split_share(stat(*ten), stat(*5 * ten), 0.95).low > 0.5


def test_its_interval_is_fishers_with_the_degrees_of_freedom_of_each_side():
    fixed, redrawn = np.linspace(-1, 1, 4), np.linspace(-4, 4, 9)
    ratio = fixed.var(ddof=1) / redrawn.var(ddof=1)
    share = split_share(stat(*fixed), stat(*redrawn), 0.8)
    assert share.value == pytest.approx(1 - ratio)
    assert (share.low, share.high) == pytest.approx([max(0, 1 - ratio / f(3, 8).ppf(p)) for p in (0.1, 0.9)])
    assert 0 < share.low < share.high < 1


@pytest.mark.parametrize(
    ("fixed", "redrawn"),
    [((0.8, 0.8), (0.7, 0.9)), ((0.7, 0.9), (0.8, 0.8)), ((0.8,), (0.7, 0.9)), ((math.nan, 0.8), (0.7, 0.9))],
)
def test_without_a_spread_on_one_side_nothing_is_said(fixed, redrawn):
    assert math.isnan(split_share(stat(*fixed), stat(*redrawn), 0.95).value)


def test_a_redrawn_setting_finds_its_runs_on_the_fixed_split_in_another_study_too():
    row = Row({metric: stat(0.7, 0.8, 0.9) for metric in METRICS}, (10, 10), 0, 0)
    base = {"cohort": "pneumonia", "lr": 0.1}
    settings = {
        "one": {"base": base | {"redraw": False}, "lr=1": base | {"lr": 1, "redraw": False}},
        "two": {"base": base | {"redraw": True}, "lr=2": base | {"lr": 2, "redraw": True}},
        "untested": {"base": base | {"redraw": True}},
    }
    summaries = {study: {"test": dict.fromkeys(settings[study], row)} for study in ("one", "two")}
    summaries["untested"] = {"validation": {"base": row}}
    found = spreads(settings, summaries, 0.95)
    assert [(one.study, one.setting, one.metric, one.fixed is None) for one in found] == [
        ("two", setting, metric, setting == "lr=2") for setting in ("base", "lr=2") for metric in METRICS
    ]
    assert found[0].redrawn == found[0].fixed == row.stats["accuracy"]
    assert found[0].share == split_share(found[0].fixed, found[0].redrawn, 0.95)
    assert math.isnan(found[-1].share.value)
