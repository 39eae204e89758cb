"""conf/ and params.yaml agree, and every profile and data set composes."""

from pathlib import Path

import pytest
import yaml
from dvc.utils.cli_parse import to_path_overrides
from dvc.utils.hydra import compose_and_dump
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from cxrbench.base.errors import CxrbenchError
from cxrbench.config import params
from cxrbench.config.setting import SETTING_KEYS, Setting
from cxrbench.training.backend import BACKENDS

ROOT = Path(__file__).parents[2]
PIPELINE = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))


@pytest.fixture(autouse=True)
def _nothing_in_the_environment(monkeypatch):
    for name in ("CXRBENCH_DATA", "CXRBENCH_COVID", "KERAS_BACKEND"):
        monkeypatch.delenv(name, raising=False)


def composed(*overrides):
    with initialize_config_dir(str(ROOT / "conf"), version_base=None):
        return OmegaConf.to_container(compose("config", overrides=list(overrides)), resolve=True)


def test_the_committed_params_are_the_composed_default():
    assert yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8")) == composed()


@pytest.mark.parametrize("profile", ["quick", "cnn", "cpu", "paper"])
@pytest.mark.parametrize(
    "data",
    [
        ("data=phantom",),
        ("data=tiny",),
        ("data=kaggle", "cohorts.pneumonia.root=x"),
        ("data=kaggle", "cohorts.pneumonia.fetch=mendeley"),
        ("data=kaggle_covid", "cohorts.pneumonia.root=x", "cohorts.covid.root=x"),
        ("data=mimic", "cohorts.pneumonia.root=x"),
        ("data=mimic", "cohorts.pneumonia.fetch=physionet", "cohorts.pneumonia.per_label=5000"),
        ("data=medmnist",),
        ("data=medmnist", "cohorts.pneumonia.size=224"),
    ],
)
def test_every_profile_composes_with_every_data_set(profile, data):
    loaded = params.parse(composed(f"profile={profile}", *data))
    assert loaded.profile == profile
    assert {run.study for run in loaded.planned_runs()} == set(loaded.studies)


@pytest.mark.parametrize("profile", ["quick", "cnn", "cpu", "paper"])
def test_a_grid_of_ones_own_runs_its_own_studies_alone(profile):
    assert list(composed("grid=transfer", f"profile={profile}", "data=tiny")["studies"]) == ["transfer"]


def test_the_paper_profile_is_as_published():
    runs = {(run.study, run.label): run.setting for run in params.parse(composed("profile=paper")).planned_runs()}
    assert {s.model for (study, _), s in runs.items() if study == "learning-rate"} == {"inception_v3"}
    batch = [s for (study, _), s in runs.items() if study == "batch-size"]
    assert [(s.model, s.image_size, s.epochs, s.batch_size) for s in batch] == [
        ("xception", 224, 200, size) for size in (4, 8, 16, 32)
    ]
    before, after = runs["covid-cnn", "before"], runs["covid-cnn", "after"]
    assert (before.batch_size, before.epochs, before.padding) == (32, 5, 1)
    assert (after.batch_size, after.epochs, after.padding) == (60, 20, 2)
    view = runs["view-network", "published"]
    published = {
        "model": "small_cnn", "optimizer": "rmsprop", "batch_size": 32, "epochs": 1000, "augment": "paper",
        "checkpoint": "best", "image_size": 64, "balance": False, "protocol": "paper",
    }  # fmt: skip
    assert {name: getattr(view, name) for name in published} == published


@pytest.mark.parametrize(("profile", "model", "epochs"), [("quick", "quick_cnn", 6), ("cnn", "small_cnn", 10)])
def test_a_small_profile_has_one_network_in_every_study_that_may_have_it(profile, model, epochs):
    runs = params.parse(composed(f"profile={profile}")).planned_runs()
    own = {"covid-cnn": "covid_cnn", "view-network": "small_cnn"}
    assert {(run.study, run.setting.model) for run in runs} == {(r.study, own.get(r.study, model)) for r in runs}
    assert {run.setting.epochs for run in runs if run.study not in own} == {epochs}


def test_the_tiny_phantom_trains_for_one_epoch_under_the_default_profile():
    runs = params.parse(composed("data=tiny")).planned_runs()
    assert {run.setting.epochs for run in runs if run.study == "learning-rate"} == {1}
    assert max(run.setting.epochs for run in runs) <= 6


def test_an_experiment_changes_a_setting_from_the_command_line():
    assert params.parse(composed("lr=0.01", "profile=paper")).base.lr == 0.01


@pytest.mark.parametrize(("profile", "model", "new"), [("quick", "quick_cnn", 26), ("cpu", "inception_v3", 28)])
def test_a_grid_by_protocol_has_every_published_study_and_trains_its_runs_under_paper_once(profile, model, new):
    published, grid = (
        params.parse(composed(f"profile={profile}", *more)).planned_runs() for more in ((), ("grid=by_protocol",))
    )
    assert set(published) < set(grid)
    by_rate = [run.setting for run in grid if run.study == "learning-rate-by-protocol" and run.seed == 0]
    assert {setting.protocol for setting in by_rate} == {"paper", "patient", "official"}
    assert {setting.model for setting in by_rate} == {model}
    under_paper = {setting for setting in by_rate if setting.protocol == "paper"}
    assert under_paper == {run.setting for run in published if run.study == "learning-rate"}
    assert len({run.setting for run in grid}) - len({run.setting for run in published}) == new


@pytest.mark.parametrize(("profile", "inception"), [("quick", "quick_cnn"), ("paper", "inception_v3")])
def test_the_grid_of_later_papers_gives_each_its_network(profile, inception):
    grid = params.parse(composed(f"profile={profile}", "grid=later")).planned_runs()
    assert set(params.parse(composed(f"profile={profile}")).planned_runs()) < set(grid)
    models = {run.study: run.setting.model for run in grid}
    assert [models[name] for name in ("inception-v3", "optimizer")] == [inception] * 2
    assert models["batch-size-resnet50"] == "resnet50"
    pretrained = composed("grid=later", "studies.batch-size-resnet50.weights=imagenet")
    starts = {run.setting.weights for run in params.parse(pretrained).planned_runs() if "resnet50" in run.study}
    assert starts == {"imagenet"}


@pytest.mark.parametrize("more", [("profile=quick",), ("profile=cpu", "data=tiny")])
def test_the_grid_of_transfer_learning_stands_in_no_default_and_composes(more):
    (study,) = {"transfer"} - set(params.parse(composed(*more)).studies)
    runs = params.parse(composed("grid=transfer", *more)).planned_runs()
    assert {run.setting.backbone for run in runs if run.study == study} == {"trained", "frozen", "fine_tuned"}
    assert len({run.setting for run in runs if run.study == study}) == 4


def through_dvc(folder, *sets):
    """What ``dvc exp run -S ...`` writes into params.yaml, by the functions that it calls."""
    overrides = to_path_overrides(list(sets))["params.yaml"]
    compose_and_dump(folder / "params.yaml", str(ROOT / "conf"), None, "config", "", overrides)
    return params.load(folder / "params.yaml")


FOLDERS = [
    "/data/Chest X-Ray Images (Pneumonia)", "~/x", "../x", "a=b", "a&b", "a,b", "흉부 사진", "à", "it's", "[x]", "{x}",
    "#1", "50 %", "a;b", "a:b", "true", "1e-4",
]  # fmt: skip


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_in_double_quotes_passes_hydras_grammar_whatever_its_name(tmp_path, folder):
    loaded = through_dvc(tmp_path, "data=kaggle", f'cohorts.pneumonia.root="{folder}"')
    assert loaded.cohorts["pneumonia"].root == folder


@pytest.mark.parametrize("data", ["kaggle", "mimic"])
@pytest.mark.parametrize("folder", [*FOLDERS, '"q"'])
def test_the_environment_may_name_the_folder_and_params_yaml_then_holds_it(tmp_path, monkeypatch, data, folder):
    monkeypatch.setenv("CXRBENCH_DATA", folder)
    assert through_dvc(tmp_path, f"data={data}").cohorts["pneumonia"].root == folder


def test_without_a_folder_the_error_names_every_way_to_give_one(tmp_path):
    with pytest.raises(
        CxrbenchError, match="set root, or CXRBENCH_DATA before dvc exp run, to your local copy, or fetch"
    ):
        through_dvc(tmp_path, "data=kaggle")


def test_the_kaggle_images_are_the_same_cohort_with_real_covid_images_beside_them():
    alone, both = (composed(f"data={data}", "cohorts.pneumonia.root=x") for data in ("kaggle", "kaggle_covid"))
    assert both["cohorts"].pop("covid")["table"] == "covid345.csv"
    assert alone["cohorts"].pop("covid")["source"] == "phantom"
    assert both == alone


def test_auto_stands_in_for_a_cohorts_counts_on_the_command_line(tmp_path):
    sets = ("data=mimic", "cohorts.pneumonia.root=x", "views.quotas.pneumonia=auto")
    quotas = through_dvc(tmp_path, *sets).views.quotas
    assert quotas["pneumonia"] == "auto"
    assert quotas["phantom"]["train"] == {"lateral": 10, "frontal": 10}


def test_the_top_level_settings_of_conf_are_the_declared_defaults():
    tree = yaml.safe_load((ROOT / "conf" / "config.yaml").read_text(encoding="utf-8"))
    base = {**tree, "redraw": tree["split"]["redraw"]}
    assert {key: base[key] for key in SETTING_KEYS} == Setting().model_dump()


def test_params_yaml_says_first_of_all_what_writes_it(tmp_path):
    through_dvc(tmp_path, "profile=cpu")
    for path in (ROOT / "params.yaml", tmp_path / "params.yaml"):
        first = path.read_text(encoding="utf-8").splitlines()[0]
        assert first == "note: dvc exp run writes this file anew from conf/; an edit here is lost"


def test_the_backend_of_the_environment_reaches_params_yaml_where_dvc_sees_it(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert params.parse(composed()).backend == "jax"
    watched = {name: stage["params"] for name, stage in PIPELINE["stages"].items() if "params" in stage}
    assert {name for name, keys in watched.items() if "backend" in keys} == {"view-filter", "train-grid"}


def test_the_backends_that_params_allow_are_those_that_a_worker_can_start():
    assert tuple(BACKENDS) == params.BACKENDS
