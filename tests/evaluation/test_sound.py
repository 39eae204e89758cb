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
        CxrbenchError, match="setting x=2, seed 0 and x=1 scored different images: 2 are in one run only"
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
