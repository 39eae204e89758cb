import json
import math
import statistics
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from cxrbench.config.setting import Setting
from cxrbench.tracking import logged


@given(st.lists(st.floats(0, 1), min_size=2, max_size=6))
def test_a_summary_is_mean_sample_sd_and_n(values: list[float]) -> None:
    found = logged.summary([("ok", {"test_auc": value, "epoch/validation_loss": 9.0}) for value in values])
    assert math.isclose(found["test_auc_mean"], statistics.fmean(values))
    assert math.isclose(found["test_auc_sd"] ** 2, statistics.variance(values), abs_tol=1e-12)
    assert found["test_auc_n"] == found["runs"] == len(values)
    assert not any(name.startswith("epoch/") for name in found)  # an epoch's metric is not a final one


def test_a_diverged_run_is_counted_but_not_averaged() -> None:
    runs = [("ok", {"test_auc": 0.9}), ("degenerate", {"test_auc": 0.5}), ("diverged", {"test_auc": 0.1})]
    found = logged.summary(runs)
    assert found["test_auc_mean"] == 0.7
    assert (found["runs"], found["test_auc_n"]) == (3, 2)
    assert (found["runs_degenerate"], found["runs_diverged"]) == (1, 1)


def test_one_run_has_no_sd() -> None:
    assert "test_auc_sd" not in logged.summary([("ok", {"test_auc": 0.9})])


def test_a_setting_keeps_its_identity_over_seeds_and_loses_it_with_its_data() -> None:
    record = {"setting": Setting().model_dump(), "seed": 0, "data": {"sha256": "a" * 64}}
    same = logged.setting_identity("s", "lr=0.001", {**record, "seed": 1})
    assert logged.setting_identity("s", "lr=0.001", record) == same
    others = [
        logged.setting_identity("t", "lr=0.001", record),
        logged.setting_identity("s", "base", record),
        logged.setting_identity("s", "lr=0.001", {**record, "data": {"sha256": "b" * 64}}),
        logged.setting_identity("s", "lr=0.001", {**record, "setting": Setting(lr=0.1).model_dump()}),
    ]
    assert len({same, *others}) == 5


def test_parameters_are_the_setting_the_seed_and_the_size_and_hide_the_folder_of_weights(tmp_path: Path) -> None:
    setting = Setting(weights=str(tmp_path / "mine.weights.h5")).model_dump()
    record = {"setting": setting, "seed": 3, "parameters": 105761}
    (tmp_path / "run.json").write_text(json.dumps(record))
    found = logged.SeedRun(tmp_path, {}, "ok").parameters()
    assert found.keys() == {*setting, "seed", "model_parameters"}
    assert (found["weights"], found["seed"], found["padding"]) == ("mine.weights.h5", "3", "None")


def test_a_model_name_holds_nothing_the_registry_refuses() -> None:
    assert logged.model_name("learning-rate") == "cxrbench-learning-rate"
    assert not set("/:' ") & set(logged.model_name("mine/of: a 'study'"))


def test_a_study_note_says_what_is_asked() -> None:
    assert logged.study_note("lr", ["lr=0.1", "lr=0.01"]).startswith("lr=0.1, lr=0.01: which does best")
    assert logged.study_note("view-network", ["base"]).startswith("base: how well")
