"""Studies become the runs they describe."""

import pytest

from cxrbench.base.errors import CxrbenchError
from cxrbench.config import studies
from cxrbench.config.setting import Setting

VIEW_BASE = Setting(cohort="views", optimizer="rmsprop")


def planned(tree, seeds=(0,)):
    return studies.expand({"s": studies.Study.model_validate(tree)}, Setting(), VIEW_BASE, seeds)


def test_two_axes_make_every_pair_and_every_seed():
    runs = planned({"vary": {"lr": [0.1, 0.01], "batch_size": [4, 8]}}, (5, 6))
    assert len(runs) == 8
    assert runs[2].label == "lr=0.1, batch_size=8"
    assert (runs[2].setting.lr, runs[2].setting.batch_size, runs[2].seed) == (0.1, 8, 5)


def test_a_study_without_axes_is_its_base():
    (run,) = planned({"cohort": "views"})
    assert (run.label, run.setting) == ("base", VIEW_BASE)


def test_a_named_setting_may_say_nothing_of_its_own():
    assert [run.label for run in planned({"settings": {"as it is": None, "fast": {"lr": 0.1}}})] == ["as it is", "fast"]


def test_a_bad_value_on_an_axis_names_the_study_and_the_setting():
    with pytest.raises(CxrbenchError, match=r"studies\.s \(lr=-1\): lr is -1"):
        planned({"vary": {"lr": [0.1, -1]}})


@pytest.mark.parametrize("tree", [{"vary": {"lr": [1, 1.0]}}, {"settings": {"a": {}, "b": {"lr": 0.001}}}])
def test_one_setting_under_two_labels_is_refused(tree):
    with pytest.raises(CxrbenchError, match=r"studies\.s has one setting twice: .* and .*; remove one"):
        planned(tree)


@pytest.mark.parametrize(("tree", "alone"), [({}, False), ({"time": "shared"}, False), ({"time": "alone"}, True)])
def test_a_study_that_claims_times_asks_for_runs_that_are_timed_alone(tree, alone):
    assert [run.alone for run in planned(tree)] == [alone]
