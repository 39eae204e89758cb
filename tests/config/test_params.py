"""params.yaml: what is wrong is named, with what was meant; what is right is kept."""

import copy
import itertools
import json
import re
from pathlib import Path

import pandas as pd
import pytest
import yaml

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.tables import PARTS
from cxrbench.config import params
from cxrbench.config.quotas import Automatic

ROOT = Path(__file__).parents[2]
TREE = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))

KAGGLE = {"source": "kaggle", "positive": "pneumonia", "negative": "normal"}
MIMIC = KAGGLE | {"source": "mimic_cxr", "fetch": "physionet"}
TABLE = KAGGLE | {"source": "directory", "root": "x", "table": "t.csv"}


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
    (("studies", "mine"), {"padding": 1}, ["padding is 1", "quick_cnn"]),
    (("studies", "mine"), {"backbone": "frozen"}, ["backbone is frozen and weights null"]),
    (("studies", "mine"), {"head_epochs": 2}, ["head_epochs is 2 and backbone trained", "set head_epochs to null"]),
    (("studies", "mine"), {"weights": "imagenet", "backbone": "fine_tuned"}, ["head_epochs is null", "to a number"]),
    (
        ("studies", "mine"),
        {"weights": "imagenet", "backbone": "fine_tuned", "head_epochs": 6, "fine_tune_lr": 1e-4},
        ["head_epochs is 6 and epochs 6"],
    ),
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
    (("views", "quotas", "pneumonia"), "atuo", ["views.quotas.pneumonia: 'atuo' is unknown", "'auto'"]),
    (("split", "quotas", "pneumonia"), "atuo", ["split.quotas.pneumonia: 'atuo' is unknown", "'auto'"]),
    (("views", "quotas", "pneumonia"), {"train": {}}, ["views.quotas.pneumonia: 'validation' is missing"]),
    (("views", "setting", "cohort"), "covid", ["views.setting", "cohort is 'covid'"]),
    (("cohorts", "pneumonia", "source"), "kagle", ["cohorts.pneumonia", "'kaggle'"]),
    (
        ("cohorts", "pneumonia", "source"),
        "kaggle",
        ["root is None", "set root, or CXRBENCH_DATA", "fetch to kagglehub or mendeley"],
    ),
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
    (("cohorts", "pneumonia"), TABLE | {"columns": {"lable": "x"}}, ["columns: 'lable'", "did you mean 'label'"]),
    (("cohorts", "pneumonia"), TABLE | {"table": None, "columns": {"label": "x"}}, ["there is no table; name it"]),
    (("cohorts", "pneumonia"), MIMIC | {"per_label": 0}, ["per_label is 0"]),
    (("cohorts", "pneumonia"), MIMIC | {"restricted": "no"}, ["restricted is 'no'", "true, false or null"]),
    (("cohorts", "pneumonia"), KAGGLE | {"source": "medmnist", "fetch": "zenodo"}, ["size is 96", "28, 64, 128, 224"]),
    (("cohorts", "pneumonia", "negative"), "pneumonia", ["both 'pneumonia'"]),
    (("cohorts", "pneumonia", "scale"), -1, ["scale is -1"]),
    (("report", "confidence"), 95, ["report.confidence is 95"]),
    (("report",), None, ["report is None"]),
    (("studies", "mine"), "lr", ["studies.mine is 'lr'"]),
    (("split", "quotas", "covid", "test"), 3, ["split.quotas.covid.test is 3"]),
    (("split", "quotas"), {"covid": TREE["split"]["quotas"]["covid"]}, ["no entry for cohort 'pneumonia'", "studies."]),
    (("cohorts", "pneumonia", "size"), 30, ["kind is pneumonia and size 30", "at least 32 px"]),
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
    assert len(runs) == 22 * 3
    assert len({(run.setting, run.seed) for run in runs}) == 18 * 3  # four settings are the base itself
    rates = [run.setting.lr for run in runs if run.study == "learning-rate" and run.seed == 0]
    assert rates == [0.1, 0.01, 0.001, 0.0001]
    views = {run.label: run.setting for run in runs if run.study == "view-network"}
    assert views["robust"] == loaded.views.setting
    assert (views["published"].augment, views["published"].batch_size) == ("paper", 32)


def test_the_base_learning_rate_changes_no_run_of_the_learning_rate_study():
    before, after = (params.parse(changed(("lr",), lr)).planned_runs() for lr in (0.001, 0.01))
    changed_studies = {a.study for a, b in zip(before, after) if a.setting != b.setting}
    assert changed_studies == {"loss-function", "batch-size", "protocol", "black-lungs"}


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


def written(folder, *lines):
    """params.yaml as committed, with these lines in place of the sections of the same keys."""
    keys = {line.partition(":")[0] for line in lines}
    sections = re.split(r"(?m)^(?=\w)", (ROOT / "params.yaml").read_text())
    kept = [section for section in sections if section.partition(":")[0] not in keys]
    (folder / "params.yaml").write_text("".join(kept) + "\n".join(lines) + "\n")
    return folder / "params.yaml"


@pytest.mark.parametrize("lr", ["1e-4", "1E-4", "1.e-4", "0.0001", "1.0e-04"])
def test_a_number_may_be_written_in_scientific_notation(tmp_path, lr):
    path = written(tmp_path, f"lr: {lr}")
    path.write_text(path.read_text().replace("      - 0.0001\n", f"      - {lr}\n"))
    loaded = params.load(path)
    assert loaded.base.lr == 0.0001
    labels = [run.label for run in loaded.planned_runs() if run.study == "learning-rate" and run.seed == 0]
    assert labels == ["lr=0.1", "lr=0.01", "lr=0.001", "lr=0.0001"]


def test_what_dvc_writes_for_a_small_number_is_read_as_one(tmp_path):
    from dvc.utils.serialize import dumps_yaml

    path = written(tmp_path, dumps_yaml({"lr": 1e-5}).strip())
    assert "lr: 1e-05\n" in path.read_text()
    assert params.load(path).base.lr == 1e-5


def test_a_key_that_stands_twice_is_an_error(tmp_path):
    path = written(tmp_path)
    path.write_text(path.read_text() + "lr: 0.1\n")
    with pytest.raises(CxrbenchError, match=r'not valid YAML \(.*found duplicate key "lr"') as caught:
        params.load(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["claims", "studies", "learning rate, mine", "α-β", "1e-4", "no"])
def test_a_study_may_have_any_name_that_a_file_may_have(tmp_path, name):
    loaded = params.load(written(tmp_path, "studies:", f"  {json.dumps(name)}: {{vary: {{lr: [0.1, 0.01]}}}}"))
    assert set(loaded.studies) == {name}


@pytest.mark.parametrize("name", ["", " ", "..", "a/b", "a\\b", ".hidden", "a\nb", "a\x7f", "a:b", "x" * 101])
def test_a_name_that_no_file_can_have_is_refused(name):
    for section in ("studies", "cohorts"):
        with pytest.raises(CxrbenchError, match=rf"{section}: .* cannot be the name of a file; use") as caught:
            params.parse(changed((section, name), TREE["cohorts"]["covid"] if section == "cohorts" else {}))
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("section", "name", "words"),
    [
        ("studies", "Protocol", "'Protocol' and 'protocol' differ in capitals alone"),
        ("cohorts", "COVID", "'COVID' and 'covid' differ in capitals alone"),
        ("cohorts", "views", "'views' is the name of the view network's own images"),
        ("studies", 7, "7 is no name; write it in quotes"),
    ],
)
def test_a_name_that_another_thing_has_is_refused(section, name, words):
    with pytest.raises(CxrbenchError, match=f"{section}: {words}"):
        params.parse(changed((section, name), TREE[section]["protocol" if section == "studies" else "covid"]))


def test_of_many_mistakes_the_first_three_are_named():
    tree = {key: value for key, value in TREE.items() if key not in ("seeds", "views", "split", "studies")}
    with pytest.raises(CxrbenchError, match=r"'seeds' is missing; .* and 1 more$") as caught:
        params.parse(tree)
    assert "'studies'" not in str(caught.value)


def test_every_mistake_is_named_at_once():
    tree = changed(("lr",), 0)
    tree["epochs"], tree["studies"]["mine"] = "many", {"vary": {"lr": []}}
    with pytest.raises(CxrbenchError) as caught:
        params.parse(tree)
    assert [part.split()[0] for part in str(caught.value).split("; ")[::2]] == ["lr", "epochs", "studies.mine.vary.lr"]


def test_labels_are_normalised_on_both_sides():
    tree = copy.deepcopy(TREE)
    tree["cohorts"]["covid"] |= {"positive": " COVID", "negative": "Normal"}
    for counts in tree["split"]["quotas"]["covid"].values():
        counts |= {"Covid": counts.pop("covid"), "NORMAL ": counts.pop("normal")}
    assert params.parse(tree) == params.parse(TREE)


def test_a_label_that_yaml_reads_as_a_number_is_a_label():
    tree = copy.deepcopy(TREE)
    tree["cohorts"]["covid"] |= {"positive": 1, "negative": 0}
    tree["split"]["quotas"]["covid"] = {part: {0: 5, 1: 5} for part in ("train", "validation", "test")}
    cohort = params.parse(tree).cohorts["covid"]
    assert (cohort.positive, cohort.negative) == ("1", "0")
    tree["cohorts"]["covid"]["positive"] = True
    with pytest.raises(CxrbenchError, match="positive is True; it must be text"):
        params.parse(tree)


def test_two_spellings_of_one_label_are_an_error_that_names_both():
    tree = copy.deepcopy(TREE)
    tree["split"]["quotas"]["covid"]["train"]["Covid"] = 9
    with pytest.raises(
        CxrbenchError, match=r"split\.quotas\.covid\.train: 'covid' and 'Covid' are one label; keep one"
    ):
        params.parse(tree)
    tree = copy.deepcopy(TREE)
    tree["cohorts"]["covid"] |= {"positive": "Normal", "negative": "normal"}
    with pytest.raises(CxrbenchError, match="positive and negative are both 'normal'"):
        params.parse(tree)


def test_view_quotas_may_be_auto_and_are_then_read_off_the_images_that_were_drawn():
    loaded = params.parse(changed(("views", "quotas", "pneumonia"), "auto"))
    rows = [("pneumonia", view, part) for view, part in itertools.product(("lateral", "frontal"), PARTS)]
    drawn = pd.DataFrame(
        [*rows, rows[0], ("covid", "lateral", "train")], columns=["source", "label", "patient"]
    ).assign(cohort="views")
    counts = {"train": {"lateral": 2, "frontal": 1}, "validation": {"lateral": 1, "frontal": 1}}
    assert loaded.views.counts(drawn) == {"pneumonia": counts}
    assert list(loaded.views.counts(drawn)["pneumonia"]["train"]) == ["lateral", "frontal"]
    assert params.parse(TREE).views.counts(drawn) == TREE["views"]["quotas"]


def test_a_part_that_auto_left_empty_shows_as_one_image_missing():
    loaded = params.parse(changed(("views", "quotas", "pneumonia"), "auto"))
    drawn = pd.DataFrame({"cohort": [], "source": [], "label": [], "patient": []}, dtype=str)
    assert loaded.views.counts(drawn)["pneumonia"]["validation"] == {"lateral": 1, "frontal": 1}


def test_split_quotas_may_be_auto_and_are_then_read_off_the_split_that_was_drawn():
    loaded = params.parse(changed(("split", "quotas", "pneumonia"), "auto"))
    assert loaded.quotas()["pneumonia"] == Automatic(("normal", "pneumonia"), loaded.split.scale)
    rows = [("pneumonia", label, part) for label, part in itertools.product(("normal", "pneumonia"), PARTS)]
    drawn = pd.DataFrame([*rows, rows[0], ("covid", "normal", "train")], columns=["cohort", "label", "paper"])
    quotas = loaded.quotas_filled(drawn)
    assert quotas["pneumonia"]["train"] == {"normal": 2, "pneumonia": 1}
    assert quotas["covid"] == params.parse(TREE).quotas()["covid"]


def test_null_takes_back_the_quotas_of_a_cohort_that_is_not_there():
    tree = changed(("split", "quotas", "elsewhere"), None)
    assert "elsewhere" not in params.parse(tree).split.quotas


def test_restricted_images_are_not_sent_to_a_cluster():
    tree = copy.deepcopy(TREE)
    tree["executor"] = "ray"
    params.parse(tree)
    tree["kept"] = params.KEPT
    tree["cohorts"]["pneumonia"]["restricted"] = True
    with pytest.raises(CxrbenchError, match=r"pneumonia is restricted, and executor ray"):
        params.parse(tree)


def test_an_experiment_with_a_restricted_cohort_must_be_kept_from_dvc_push():
    tree = changed(("cohorts", "pneumonia", "restricted"), True)
    with pytest.raises(CxrbenchError, match=r"pneumonia is restricted, .* set kept to here/\.\./ at the top level"):
        params.parse(tree)
    assert params.parse({**tree, "kept": "here/../"}).restricted == {"pneumonia"}
    assert params.parse({**TREE, "kept": "here/../"}).restricted == set()  # who wants to may keep any
    with pytest.raises(CxrbenchError, match=r'kept: \'./\' is unknown; known are "", here'):
        params.parse({**tree, "kept": "./"})


def test_split_redraw_is_the_base_settings_and_no_view_networks():
    plain, redrawn = params.parse(TREE), params.parse(changed(("split", "redraw"), True))
    assert {run.setting.redraw for run in plain.planned_runs()} == {False}
    assert {(run.study == "view-network", run.setting.redraw) for run in redrawn.planned_runs()} == {
        (True, False),
        (False, True),
    }
    assert (plain.redrawn_seeds, redrawn.redrawn_seeds) == ((), (0, 1, 2))


def test_redraw_can_be_an_axis_beside_the_fixed_split():
    tree = changed(("studies",), {"split": {"vary": {"redraw": [False, True]}}})
    found = params.parse(tree)
    assert {run.label: run.setting.redraw for run in found.planned_runs()} == {
        "redraw=False": False,
        "redraw=True": True,
    }
    assert found.redrawn_seeds == (0, 1, 2)


def test_redraw_stands_in_the_section_split_alone_and_the_view_networks_images_have_one_split():
    with pytest.raises(CxrbenchError, match=r"redraw stands in the section split, as split\.redraw"):
        params.parse(changed(("redraw",), True))
    with pytest.raises(CxrbenchError, match="the view network's images have one split"):
        params.parse(changed(("studies", "view-network", "redraw"), True))
