"""conf/ and params.yaml agree, and every profile and data set composes."""

from pathlib import Path

import pytest
import yaml
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from cxrbench.config import params

ROOT = Path(__file__).parents[2]


def composed(*overrides):
    with initialize_config_dir(str(ROOT / "conf"), version_base=None):
        return OmegaConf.to_container(compose("config", overrides=list(overrides)), resolve=True)


def test_the_committed_params_are_the_composed_default():
    assert yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8")) == composed()


@pytest.mark.parametrize("profile", ["quick", "cpu", "paper"])
@pytest.mark.parametrize(
    "data",
    [
        ("data=phantom",),
        ("data=tiny",),
        ("data=kaggle", "cohorts.pneumonia.root=x"),
        ("data=kaggle", "cohorts.pneumonia.fetch=mendeley"),
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


def test_an_experiment_changes_a_setting_from_the_command_line():
    assert params.parse(composed("lr=0.01", "profile=paper")).base.lr == 0.01


@pytest.mark.parametrize(("profile", "model", "new"), [("quick", "small_cnn", 26), ("cpu", "inception_v3", 28)])
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
