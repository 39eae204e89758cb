import pytest

from cxrbench.base.errors import CxrbenchError
from cxrbench.config.setting import Setting
from cxrbench.config.studies import PlannedRun
from cxrbench.evaluation.study_settings import (
    StudySetting,
    read_settings,
    run_of,
    settings_of,
    skipped_of,
    write_settings,
)

STUDIES = {
    "rates": {"lr=0.1": StudySetting({"model": "small_cnn", "lr": 0.1, "weights": None}), "lr=1": StudySetting({})},
    "protocol": {"protocol=official": StudySetting({"protocol": "official"}, "폐렴 has no split of its own")},
}


def test_what_was_written_is_read_in_the_same_order(tmp_path):
    write_settings(tmp_path / "settings.json", STUDIES)
    found = read_settings(tmp_path / "settings.json")
    assert found == STUDIES
    assert [list(settings) for settings in found.values()] == [["lr=0.1", "lr=1"], ["protocol=official"]]


def test_settings_are_told_apart_by_whether_they_were_run():
    mixed = {**STUDIES["rates"], **STUDIES["protocol"]}
    assert list(run_of(mixed)) == ["lr=0.1", "lr=1"]
    assert skipped_of(mixed) == {"protocol=official": "폐렴 has no split of its own"}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": {"b": 1}}', '{"a": {"b": {"setting": {}}}}'])
def test_a_damaged_file_is_an_error_that_names_it(tmp_path, text):
    (tmp_path / "settings.json").write_text(text)
    with pytest.raises(CxrbenchError, match=r"settings\.json is damaged"):
        read_settings(tmp_path / "settings.json")


def test_a_missing_file_is_an_error_that_says_how_to_make_it(tmp_path):
    with pytest.raises(CxrbenchError, match="run 'dvc repro train-grid'"):
        read_settings(tmp_path / "settings.json")


def test_settings_are_those_that_studies_plan_each_with_the_reason_why_it_was_skipped():
    fast, slow = Setting(lr=0.1), Setting(lr=0.001)
    planned = [PlannedRun("rates", label, one, seed) for label, one in (("a", fast), ("b", slow)) for seed in (0, 1)]
    found = settings_of([*planned, PlannedRun("other", "c", slow, 0)], {slow: "no split"})
    assert {study: list(settings) for study, settings in found.items()} == {"rates": ["a", "b"], "other": ["c"]}
    assert found["rates"]["a"] == StudySetting(fast.model_dump())
    assert found["rates"]["b"] == found["other"]["c"] == StudySetting(slow.model_dump(), "no split")
