"""Runs that differ in more than their settings are refused; those that were asked for other images are not."""

import pandas as pd
import pytest

from cxrbench.base.errors import CxrbenchError
from cxrbench.evaluation.sound import check_metrics, check_runs

GRID = pd.DataFrame([["one", "x=1", 0, "r1"], ["one", "x=2", 0, "r2"]], columns=["study", "setting", "seed", "run"])


def run(images, score=0.5, **setting):
    table = pd.DataFrame({"source": "a", "image_id": images, "patient_id": "", "part": "test", "target": 1})
    return {"setting": {"cohort": "c", "protocol": "paper", **setting}}, table.assign(score=score)


def test_two_settings_of_one_split_must_have_seen_the_same_images_in_any_order():
    check_runs(GRID, {"r1": run(["i", "j"]), "r2": run(["j", "i"])})
    with pytest.raises(
        CxrbenchError,
        match=r"seed 0 and x=1 scored different images: 2 are in one run only, such as j in test; .*fetch the result",
    ):
        check_runs(GRID, {"r1": run(["i", "j"]), "r2": run(["i", "k"])})


@pytest.mark.parametrize("other", [{"protocol": "patient"}, {"cohort": "d"}, {"redraw": True}])
def test_settings_that_ask_for_another_split_may_see_other_images(other):
    check_runs(GRID, {"r1": run(["i", "j"]), "r2": run(["k"], **other)})


def test_a_record_of_before_splits_were_redrawn_is_of_the_fixed_split():
    with pytest.raises(CxrbenchError, match="scored different images"):
        check_runs(GRID, {"r1": run(["i"]), "r2": run(["k"], redraw=False)})


def test_another_seed_may_see_other_images():
    grid = GRID.assign(seed=[0, 1])
    check_runs(grid, {"r1": run(["i", "j"]), "r2": run(["k"])})


@pytest.mark.parametrize(
    ("n", "status", "score"), [(3, "ok", 0.5), (2, "ok", float("nan")), (2, "degenerate", float("inf"))]
)
def test_metrics_that_the_scores_do_not_give_are_refused(n, status, score):
    metrics = pd.DataFrame({"run": ["r1"], "part": ["test"], "status": [status], "n": [n]})
    with pytest.raises(CxrbenchError, match=r"the test metrics of run r1 \(. images, .*\) do not come from its scores"):
        check_metrics(metrics, {"r1": run(["i", "j"], score)})


def test_a_diverged_run_may_lack_scores():
    metrics = pd.DataFrame({"run": ["r1"], "part": ["test"], "status": ["diverged"], "n": [2]})
    check_metrics(metrics, {"r1": run(["i", "j"], float("nan"))})


def test_a_run_that_is_missing_or_at_odds_with_itself_or_its_fellows_is_named_with_its_image():
    one, other = run(["i", "j", "k"]), run(["i", "j", "k"])
    with pytest.raises(CxrbenchError, match=r"run r2 is missing.* study one, setting x=2, seed 0; .*result set again$"):
        check_runs(GRID, {"r1": one})
    twice = one[1].assign(image_id=["i", "j", "j"], source=["a", "b", "b"], part=["test", "test", "validation"])
    with pytest.raises(CxrbenchError, match=r"^run r1 scores 1 images more than once, such as j of b; run"):
        check_runs(GRID, {"r1": (one[0], twice), "r2": other})
    with pytest.raises(CxrbenchError, match=r"x=2, .* and x=1 disagree on what images show, such as j in test;"):
        check_runs(GRID, {"r1": one, "r2": (other[0], other[1].assign(target=[1, 0, 1]))})
    with pytest.raises(CxrbenchError, match=r"metrics hold run r3, which the grid does not; run 'dvc repro evaluate'"):
        check_metrics(pd.DataFrame({"run": ["r3"], "part": ["test"], "status": ["ok"], "n": [2]}), {"r1": one})


def test_a_record_that_does_not_say_what_was_asked_hides_no_other_run():
    grid = pd.concat([GRID.head(1).assign(run="r0"), GRID])
    silent = ({}, run(["x"])[1])
    with pytest.raises(CxrbenchError, match="scored different images"):
        check_runs(grid, {"r0": silent, "r1": run(["i"]), "r2": run(["k"])})
