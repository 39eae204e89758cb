"""The appendix says what the textbook tests say of our runs, beside the verdict, and a dash where they say nothing."""

import numpy as np
import pytest
from scipy import stats

from cxrbench.evaluation.comparisons import Run
from cxrbench.evaluation.metrics import evaluate
from cxrbench.evaluation.resampling import Scores
from cxrbench.evaluation.summaries import Row, Stat
from cxrbench.evaluation.verdicts import Claim, Verdict
from cxrbench.reporting.appendix import appendix, calibrations, crosschecks, thresholds
from cxrbench.reporting.page import render

PATIENTS = np.array([f"p{i}" for i in range(100)])
TARGET = np.arange(100) % 2


def run(seed, wrong=(), status="ok", patients=PATIENTS):
    """A run that is wrong on the images named, on both parts."""
    high = TARGET == 1
    high[list(wrong)] ^= True
    score = np.where(high, 0.9, 0.1)
    scores = Scores(patients, TARGET, score if status == "ok" else np.full(100, np.nan))
    return Run(seed, {"validation": status, "test": status}, {"validation": scores, "test": scores}, {})


def claim(kind="better", metric="accuracy", part="test", against=("b",)):
    return Claim("a-wins", "s", "A beats B", kind, metric, part, ("a",), against)


def rows(one, study, verdict="undecided"):
    return crosschecks([Verdict(one, verdict, "Because.")], {"s": study}).rows


def test_a_claim_has_a_row_a_rival_with_the_median_p_of_runs_of_one_seed():
    study = {
        "a": [run(0), run(1), run(2, wrong=[0])],
        "b": [run(2, wrong=[1]), run(0, wrong=range(8)), run(1, wrong=range(3))],
        "c": [run(1, wrong=range(20))],
    }
    one, other = rows(claim("best", against=("b", "c")), study, "supported")
    least, median = (stats.binomtest(0, n).pvalue for n in (8, 3))
    assert (median, round(least, 3)) == (0.25, 0.008)
    assert one == ["a-wins", "a", "b", "McNemar", "3", "+3.67 points", "0.250\n[0.008 to 1.000]", "1 of 3", "supported"]
    assert other == ["a-wins", "a", "c", "McNemar", "1", "+20.00 points", "< 0.001", "1 of 1", "supported"]


def test_a_claim_about_auc_has_delongs_p():
    (row,) = rows(claim(metric="auc"), {"a": [run(0)], "b": [run(0, wrong=range(20))]})
    assert row[3:] == ["DeLong", "1", "+0.2000", "< 0.001", "1 of 1", "undecided"]


@pytest.mark.parametrize(
    "other", [claim("equal"), claim("value"), claim(metric="loss"), claim(part="validation")], ids=lambda one: one.kind
)
def test_other_claims_have_no_row(other):
    assert rows(other, {"a": [run(0)], "b": [run(0)]}) == []


@pytest.mark.parametrize(
    ("rivals", "pairs"),
    [
        ([], "0"),
        ([run(7)], "0"),
        ([run(0), run(1, status="diverged")], "2"),
        ([run(0, patients=PATIENTS[::-1])], "1"),
        ([Run(0, {"validation": "ok"}, {}, {})], "1"),
    ],
    ids=["no run", "another seed", "one diverged", "other images", "no test images"],
)
def test_runs_that_can_not_be_paired_show_a_dash(rivals, pairs):
    (row,) = rows(claim(), {"a": [run(0), run(1)], "b": rivals}, "not tested")
    assert row[4:] == [pairs, "–", "–", "–", "not tested"]
    assert rows(claim(), {})[0][4:8] == ["0", "–", "–", "–"]


def summary(study, parts=("validation", "test")):
    """What the winner is read from."""
    found = {}
    for part in parts:
        found[part] = {}
        for setting, runs in study.items():
            metrics = [evaluate(each.scores[part].target, each.scores[part].score)[1] for each in runs]
            stats_of = {name: Stat(tuple(one[name] for one in metrics)) for name in metrics[0]}
            found[part][setting] = Row(stats_of, (100, 100), 0, 0)
    return found


def part_of(skill, spread=1.0, sure=1.0, shift=0.0, seed=0):
    logit = skill * (2 * TARGET - 1) + spread * np.random.default_rng(seed).normal(size=100)
    return Scores(PATIENTS, TARGET, 1 / (1 + np.exp(-(sure * logit + shift))))


def noisy(seed, sure=1.0, shift=0.0):
    parts = {
        part: part_of(1.0, sure=sure, shift=shift, seed=10 * seed + i) for i, part in enumerate(("validation", "test"))
    }
    return Run(seed, dict.fromkeys(parts, "ok"), parts, {})


def tables(study, parts=("validation", "test")):
    return appendix([], {"s": summary(study, parts)}, {"s": study})


def test_the_winner_on_validation_has_a_row_of_calibration_means():
    study = {"better": [noisy(0), noisy(1)], "worse": [run(0, wrong=range(50)), run(1, wrong=range(50))]}
    (row,) = tables(study)[1].rows
    assert row[:3] == ["s", "better", "2"]
    assert all("±" in cell for cell in row[3:])
    brier = np.mean(
        [evaluate(one.scores["test"].target, one.scores["test"].score)[1]["mse"] for one in study["better"]]
    )
    assert row[3].startswith(f"{brier:.4f} ± ")


def test_scores_that_part_the_classes_wholly_have_a_brier_score_and_no_slope():
    (row,) = tables({"a": [run(0), run(1)]})[1].rows
    assert row == ["s", "a", "2", "0.0100 ± 0.0000", "0.1000 ± 0.0000", "–", "–"]


def test_a_threshold_comes_from_validation_and_is_used_as_it_is_on_test():
    low, high = (np.where(TARGET == 1, *ends) for ends in ((0.3, 0.1), (0.6, 0.4)))  # 0.3 parts one, 0.6 the other
    on_test = np.where(np.arange(100) < 50, high, low)
    parts = {"validation": Scores(PATIENTS, TARGET, low), "test": Scores(PATIENTS, TARGET, on_test)}
    one = Run(0, dict.fromkeys(parts, "ok"), parts, {})
    (row,) = tables({"a": [one]})[2].rows
    assert row == ["s", "a", "1", "0.300", "75.00\n[65.70 to 82.45]", "75.00\n[65.70 to 82.45]", "+0.00"]
    parts["test"] = Scores(PATIENTS, TARGET, high)
    assert tables({"a": [one]})[2].rows[0][3:5] == ["0.300", "100.00\n[96.30 to 100.00]"]
    assert tables({"a": [one]})[2].rows[0][5:] == ["50.00\n[40.38 to 59.62]", "−50.00"]


def test_a_study_without_test_images_or_winner_has_no_row():
    for found in (tables({"a": [run(0)]}, ("validation",)), tables({"a": [run(0, status="diverged")]})):
        assert [table.rows for table in found] == [[], [], []]
    assert calibrations([]).rows == thresholds([]).rows == []


def test_the_appendix_is_folded_at_the_end_of_the_page():
    found = tables({"a": [run(0), run(1)]})
    text = render("Head", [], [], [], [], [], [], appendix=found)
    folded = text[text.index('<details id="appendix">') :]
    assert text.index('id="data"') < text.index('id="appendix"')
    assert all(f"<h3>{table.title}</h3>" in folded for table in found)
    assert 'id="appendix"' not in render("Head", [], [], [], [], [], [])
