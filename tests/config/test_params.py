"""params.yaml: what is wrong is named, with what was meant; what is right is kept."""

import copy
from pathlib import Path

import pytest
import yaml

from cxrbench.base.errors import CxrbenchError
from cxrbench.config import params

ROOT = Path(__file__).parents[2]
TREE = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))

KAGGLE = {"source": "kaggle", "positive": "pneumonia", "negative": "normal"}
MIMIC = KAGGLE | {"source": "mimic_cxr", "fetch": "physionet"}


def changed(path, value):
    tree = copy.deepcopy(TREE)
    here = tree
    for key in path[:-1]:
        here = here[key]
    here[path[-1]] = value
    return tree


MISTAKES = [
    (("lrr",), 1, ["'lrr' is unknown; did you mean 'lr'?"]),
    (("lr",), 0, ["lr is 0"]),
    (("lr",), "fast", ["lr is 'fast'", "number"]),
    (("lr",), float("nan"), ["lr is nan"]),
    (("batch_size",), 2.5, ["batch_size is 2.5", "whole"]),
    (("epochs",), True, ["epochs is True"]),
    (("model",), "xcepton", ["'xcepton'", "'xception'"]),
    (("studies", "mine"), {"loss": "focal"}, ["studies.mine", "'focal'", "binary_focal_crossentropy"]),
    (("studies", "mine"), {"vary": {"batchsize": [1]}}, ["studies.mine.vary", "'batch_size'"]),
    (("studies", "mine"), {"vary": {"lr": []}}, ["studies.mine.vary.lr", "list"]),
    (("studies", "mine"), {"vary": {"lr": [0.1, 0.1]}}, ["twice"]),
    (("studies", "mine"), {"vary": {"lr": [0.1]}, "settings": {"a": {}}}, ["both"]),
    (("studies", "mine"), {"settings": {}}, ["compares no settings"]),
    (("studies", "mine"), {"cohort": "lungs"}, ["studies.mine", "'lungs'"]),
    (("studies", "mine"), {"padding": 1}, ["padding is 1", "small_cnn"]),
    (("seeds",), [1, 1], ["seeds", "twice"]),
    (("seeds",), [], ["seeds"]),
    (("workers",), 0, ["workers is 0"]),
    (("split", "quotas", "covid", "test", "covid"), 0, ["split.quotas.covid.test.covid is 0"]),
    (("split", "quotas", "covid", "test", "corona"), 3, ["'corona'", "known are normal, covid"]),
    (("split", "quotas", "covid", "tests"), {}, ["split.quotas.covid", "'test'"]),
    (("views", "abstain"), [0.9, 0.1], ["views.abstain", "lower first"]),
    (("views", "cohort"), "pneumonia", ["views", "'cohort' is unknown"]),
    (("views", "quotas"), {}, ["views.quotas is {}", "at least one"]),
    (("views", "quotas", "pneumonias"), TREE["views"]["quotas"]["pneumonia"], ["views.quotas", "'pneumonia'"]),
    (("views", "setting", "cohort"), "covid", ["views.setting", "cohort is 'covid'"]),
    (("cohorts", "pneumonia", "source"), "kagle", ["cohorts.pneumonia", "'kaggle'"]),
    (("cohorts", "pneumonia", "source"), "kaggle", ["root is None", "set root", "fetch to kagglehub or mendeley"]),
    (
        ("cohorts", "pneumonia"),
        KAGGLE | {"root": "x", "fetch": "mendeley"},
        ["root is 'x' and fetch 'mendeley'", "one"],
    ),
    (("cohorts", "pneumonia"), KAGGLE | {"fetch": "mendely"}, ["'mendely'", "'mendeley'"]),
    (("cohorts", "pneumonia"), KAGGLE | {"fetch": "zenodo"}, ["'zenodo'", "known are kagglehub, mendeley"]),
    (
        ("cohorts", "pneumonia"),
        KAGGLE | {"source": "directory", "fetch": "zenodo"},
        ["fetch is 'zenodo'", "only source kaggle, mimic_cxr"],
    ),
    (("cohorts", "pneumonia"), KAGGLE | {"root": "x", "per_label": 9}, ["per_label is 9", "only source mimic_cxr"]),
    (("cohorts", "pneumonia"), MIMIC | {"per_label": 0}, ["per_label is 0"]),
    (("cohorts", "pneumonia"), MIMIC | {"restricted": "no"}, ["restricted is 'no'", "true, false or null"]),
    (("cohorts", "pneumonia"), KAGGLE | {"source": "medmnist", "fetch": "zenodo"}, ["size is 160", "28, 64, 128, 224"]),
    (("cohorts", "pneumonia", "negative"), "pneumonia", ["both 'pneumonia'"]),
    (("cohorts", "pneumonia", "scale"), -1, ["scale is -1"]),
    (("report", "confidence"), 95, ["report.confidence is 95"]),
    (("report",), None, ["report is None"]),
]


@pytest.mark.parametrize(("path", "value", "words"), MISTAKES)
def test_a_mistake_in_the_parameters_is_named_in_one_sentence(path, value, words):
    with pytest.raises(CxrbenchError) as caught:
        params.parse(changed(path, value))
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


def test_a_missing_section_is_named():
    tree = copy.deepcopy(TREE)
    del tree["split"]["seed"]
    with pytest.raises(CxrbenchError, match="split: 'seed' is missing"):
        params.parse(tree)


def test_a_missing_or_damaged_file_is_an_error_in_words(tmp_path):
    with pytest.raises(CxrbenchError, match="does not exist"):
        params.load(tmp_path / "params.yaml")
    (tmp_path / "params.yaml").write_text("lr: [1,")
    with pytest.raises(CxrbenchError, match="not valid YAML"):
        params.load(tmp_path / "params.yaml")


def test_each_study_is_the_base_setting_but_for_what_it_says():
    loaded = params.parse(TREE)
    runs = loaded.planned_runs()
    assert len(runs) == 20 * 3
    assert len({(run.setting, run.seed) for run in runs}) == 17 * 3  # three settings are the base itself
    rates = [run.setting.lr for run in runs if run.study == "learning-rate" and run.seed == 0]
    assert rates == [0.1, 0.01, 0.001, 0.0001]
    views = {run.label: run.setting for run in runs if run.study == "view-network"}
    assert views["robust"] == loaded.views.setting
    assert (views["published"].augment, views["published"].batch_size) == ("paper", 32)


def test_the_base_learning_rate_changes_no_run_of_the_learning_rate_study():
    before, after = (params.parse(changed(("lr",), lr)).planned_runs() for lr in (0.001, 0.01))
    changed_studies = {a.study for a, b in zip(before, after) if a.setting != b.setting}
    assert changed_studies == {"loss-function", "batch-size", "protocol"}


@pytest.mark.parametrize(
    ("cohort", "stay"),
    [
        (KAGGLE | {"root": "x"}, False),
        (KAGGLE | {"root": "x", "restricted": True}, True),
        (MIMIC, True),
        (MIMIC | {"restricted": None}, True),
        (MIMIC | {"restricted": False}, False),
    ],
)
def test_pixels_of_mimic_stay_here_unless_a_parameter_says_so(cohort, stay):
    assert params.Cohort(**cohort).pixels_stay_here is stay


@pytest.mark.parametrize("size", [28, 64, 128, 224])
def test_medmnist_comes_in_four_sizes(size):
    assert params.Cohort(**KAGGLE | {"source": "medmnist", "fetch": "zenodo", "size": size}).size == size
