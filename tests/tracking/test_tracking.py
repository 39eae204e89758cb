"""What is tracked: a parent a setting, a child a seed, once each, and nothing of this machine."""

import getpass
import json
import math
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from cxrbench.config.setting import Setting
from cxrbench.tracking.logged import SeedRun
from cxrbench.tracking.tracker import open_tracker
from tests.tracking.tracked_runs import LABEL, STUDY, client, content, runs_by_name, seed_run


def test_a_parent_holds_the_means_and_a_child_each_seed(workspace: Path) -> None:
    tracker = open_tracker()
    tracker.describe(STUDY, [LABEL, "lr=0.1"])
    tracker.log_setting(STUDY, LABEL, [seed_run(workspace, 0, 0.8), seed_run(workspace, 1, 0.9)])
    runs = runs_by_name(workspace)
    assert runs.keys() == {LABEL, f"{LABEL} · seed 0", f"{LABEL} · seed 1"}
    assert {run.info.status for run in runs.values()} == {"FINISHED"}
    parent, child = runs[LABEL], runs[f"{LABEL} · seed 1"]
    assert math.isclose(parent.data.metrics["validation_accuracy_mean"], 0.85)
    assert math.isclose(parent.data.metrics["validation_accuracy_sd"], 0.1 / math.sqrt(2))
    assert parent.data.metrics["validation_accuracy_n"] == 2
    assert child.data.tags["mlflow.parentRunId"] == parent.info.run_id
    assert child.data.metrics["test_auc"] == 0.45
    assert child.data.params["lr"] == "0.001"
    assert child.data.params["seed"] == "1"
    assert child.data.tags["status"] == "ok"
    assert child.data.tags["environment.keras"] == "3.15.1"
    steps = client(workspace).get_metric_history(child.info.run_id, "epoch/validation_loss")
    assert [(point.step, point.value) for point in steps] == [(1, 0.5), (2, 0.25)]
    note = client(workspace).get_experiment_by_name(STUDY).tags["mlflow.note.content"]
    assert note.startswith("lr=0.001, lr=0.1: which does best")


def test_a_curve_over_epochs_and_the_final_metric_of_the_kept_model_have_different_names(workspace: Path) -> None:
    open_tracker().log_setting(STUDY, LABEL, [seed_run(workspace, 0)])
    names = set(runs_by_name(workspace)[f"{LABEL} · seed 0"].data.metrics)
    curves = {name for name in names if name.startswith("epoch/")}
    assert curves == {
        "epoch/train_loss", "epoch/train_accuracy", "epoch/validation_loss", "epoch/validation_accuracy",
        "epoch/seconds",
    }  # fmt: skip
    assert not any(name.startswith("val_") for name in names)
    assert names - curves == {
        "validation_accuracy", "test_auc", "first_epoch_seconds", "epoch_seconds", "train_seconds"
    }  # fmt: skip


def test_the_duration_of_a_run_is_its_training_time_and_of_a_setting_the_sum_over_its_seeds(workspace: Path) -> None:
    def milliseconds() -> dict[str, int]:
        return {name: run.info.end_time - run.info.start_time for name, run in runs_by_name(workspace).items()}

    first, second = seed_run(workspace, 0), seed_run(workspace, 1)
    for run, ended in ((first, 1_000_000), (second, 5_000_000)):  # the second was trained on another day
        os.utime(run.folder / "run.json", (ended, ended))
    open_tracker().log_setting(STUDY, LABEL, [first])
    assert milliseconds() == {LABEL: 1500, f"{LABEL} · seed 0": 1500}
    open_tracker().log_setting(STUDY, LABEL, [first, second])
    assert milliseconds() == {LABEL: 3000, f"{LABEL} · seed 0": 1500, f"{LABEL} · seed 1": 1500}
    runs = runs_by_name(workspace)
    assert runs[f"{LABEL} · seed 1"].info.end_time == 5_000_000_000
    assert runs[LABEL].info.start_time == 999_998_500


def test_a_curve_stands_at_the_times_when_its_epochs_ended(workspace: Path) -> None:
    run = seed_run(workspace, 0, losses=[0.5, 0.25, 0.125])  # of 1 s each, 1.5 s in all
    os.utime(run.folder / "run.json", (1_000_000, 1_000_000))
    open_tracker().log_setting(STUDY, LABEL, [run])
    child = runs_by_name(workspace)[f"{LABEL} · seed 0"]
    found = client(workspace).get_metric_history(child.info.run_id, "epoch/train_loss")
    assert [point.timestamp for point in found] == [999_999_500, 1_000_000_500, 1_000_001_500]
    (final,) = client(workspace).get_metric_history(child.info.run_id, "test_auc")
    assert final.timestamp == 1_000_000_000


def test_the_data_sets_of_a_run_are_its_parts_with_their_counts_and_neither_an_image_nor_a_path(
    workspace: Path,
) -> None:
    open_tracker().log_setting(STUDY, LABEL, [seed_run(workspace, 0)])
    for run in runs_by_name(workspace).values():
        found = {one.dataset.name: one for one in run.inputs.dataset_inputs}
        assert found.keys() == {f"pneumonia/paper/{part}" for part in ("train", "validation", "test")}
        one = found["pneumonia/paper/validation"]
        assert [(tag.key, tag.value) for tag in one.tags] == [("mlflow.data.context", "validation")]
        profile = json.loads(one.dataset.profile)
        assert profile.pop("sha256").startswith(one.dataset.digest)
        assert profile == {"num_rows": 4, "normal": 2, "pneumonia": 2}
        assert str(workspace) not in str(one.to_dictionary())


def test_models_are_ranked_by_what_they_reached_on_a_part(workspace: Path) -> None:
    runs = [seed_run(workspace, seed, value) for seed, value in enumerate((0.8, 0.9, 0.7))]
    open_tracker().log_setting(STUDY, LABEL, runs)
    found = client(workspace)
    experiment = found.get_experiment_by_name(STUDY).experiment_id
    part = runs[0].data[1]
    order = {"field_name": "metrics.validation_accuracy", "ascending": False, "dataset_name": part.name}
    ranked = found.search_logged_models([experiment], order_by=[{**order, "dataset_digest": part.digest}])
    assert [model.tags["seed"] for model in ranked] == ["1", "0", "2"]
    linked = {metric.key: metric.dataset_name for metric in ranked[0].metrics}
    assert linked["validation_accuracy"] == "pneumonia/paper/validation"
    assert linked["test_auc"] == "pneumonia/paper/test"
    assert linked["train_seconds"] is None
    assert ranked[0].params["lr"] == "0.001"
    assert ranked[0].status == "READY"


def test_runs_are_grouped_by_any_setting_since_each_seed_carries_all_of_them(workspace: Path) -> None:
    open_tracker().log_setting(STUDY, LABEL, [seed_run(workspace, seed) for seed in (0, 1)])
    for name, run in runs_by_name(workspace).items():
        if "seed" in name:
            assert Setting.model_fields.keys() <= run.data.params.keys()


def test_a_models_file_is_no_copy_on_the_disk_of_the_run_store(workspace: Path) -> None:
    run = seed_run(workspace, 0)
    open_tracker().log_setting(STUDY, LABEL, [run])
    (stored,) = (workspace / "mlruns" / "artifacts").rglob("model.keras")
    assert stored.samefile(run.folder / "model.keras")


def test_history_and_figures_are_artifacts_below_the_workspace(workspace: Path) -> None:
    from matplotlib.figure import Figure

    open_tracker().log_setting(STUDY, LABEL, [seed_run(workspace, 0)], lambda run: {"curve": Figure((1, 1))})
    child = runs_by_name(workspace)[f"{LABEL} · seed 0"]
    folder = workspace / "mlruns" / "artifacts" / STUDY / child.info.run_id / "artifacts"
    assert (folder / "history.csv").read_text().startswith("epoch,loss")
    assert (folder / "figures" / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_logging_again_changes_nothing_and_draws_nothing(workspace: Path) -> None:
    runs = [seed_run(workspace, 0, 0.8), seed_run(workspace, 1, 0.9)]
    open_tracker().log_setting(STUDY, LABEL, runs)
    before = content(workspace)

    def draw(run: SeedRun) -> dict[str, Any]:
        raise AssertionError("a known run is drawn again")

    open_tracker().log_setting(STUDY, LABEL, runs, draw)
    assert content(workspace) == before


def test_another_experiment_adds_its_name_and_no_run(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("brisk-lion", "calm-fox", "brisk-lion"):
        monkeypatch.setenv("DVC_EXP_NAME", name)
        open_tracker().log_setting(STUDY, LABEL, [seed_run(workspace, 0)])
    tags = {name: run.data.tags["dvc.experiments"] for name, run in runs_by_name(workspace).items()}
    assert tags == {LABEL: "brisk-lion calm-fox", f"{LABEL} · seed 0": "brisk-lion calm-fox"}


def test_more_seeds_join_the_parent_that_is_there(workspace: Path) -> None:
    tracker = open_tracker()
    tracker.log_setting(STUDY, LABEL, [seed_run(workspace, 0, 0.8)])
    tracker.log_setting(STUDY, LABEL, [seed_run(workspace, 1, 0.9), seed_run(workspace, 2, 1.0)])
    metrics = runs_by_name(workspace)[LABEL].data.metrics
    assert math.isclose(metrics["validation_accuracy_mean"], 0.9)
    assert metrics["validation_accuracy_n"] == 3


def test_a_new_metric_reaches_a_run_that_is_logged_already(workspace: Path) -> None:
    tracker, run = open_tracker(), seed_run(workspace, 0)
    tracker.log_setting(STUDY, LABEL, [run])
    tracker.log_setting(STUDY, LABEL, [SeedRun(run.folder, {**run.metrics, "test_f1": 0.7}, "degenerate")])
    runs = runs_by_name(workspace)
    assert runs[f"{LABEL} · seed 0"].data.metrics["test_f1"] == 0.7
    (model,) = client(workspace).search_logged_models([runs[LABEL].info.experiment_id])
    assert {metric.key: metric.value for metric in model.metrics}["test_f1"] == 0.7
    assert runs[LABEL].data.metrics["test_f1_mean"] == 0.7
    assert runs[LABEL].data.metrics["runs_degenerate"] == 1


def test_a_diverged_run_is_logged_as_such_without_its_nan(workspace: Path) -> None:
    diverged = seed_run(workspace, 0, math.nan, losses=[0.5, math.nan], status="diverged")
    open_tracker().log_setting(STUDY, LABEL, [diverged, seed_run(workspace, 1)])
    runs = runs_by_name(workspace)
    child = runs[f"{LABEL} · seed 0"]
    assert child.data.tags["status"] == "diverged"
    assert "test_auc" not in child.data.metrics
    assert len(client(workspace).get_metric_history(child.info.run_id, "epoch/train_loss")) == 1
    assert (runs[LABEL].data.metrics["runs_diverged"], runs[LABEL].data.metrics["test_auc_n"]) == (1, 1)
    assert not child.outputs.model_outputs  # a network of NaN is nobody's model


def test_a_thousand_epochs_are_all_logged(workspace: Path) -> None:
    open_tracker().log_setting(STUDY, LABEL, [seed_run(workspace, 0, losses=[0.5] * 1001)])
    child = runs_by_name(workspace)[f"{LABEL} · seed 0"]
    assert len(client(workspace).get_metric_history(child.info.run_id, "epoch/seconds")) == 1001


def test_an_error_while_logging_leaves_a_failed_run_that_the_next_time_replaces(workspace: Path) -> None:
    tracker, run = open_tracker(), seed_run(workspace, 0)

    def draw(run: SeedRun) -> dict[str, Any]:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        tracker.log_setting(STUDY, LABEL, [run], draw)
    assert {found.info.status for found in runs_by_name(workspace).values()} == {"FAILED"}
    tracker.log_setting(STUDY, LABEL, [run])
    runs = runs_by_name(workspace)
    assert {found.info.status for found in runs.values()} == {"FINISHED"}
    assert len(runs) == 2
    assert len(client(workspace).search_logged_models([runs[LABEL].info.experiment_id])) == 1


def test_an_experiment_that_was_deleted_comes_back(workspace: Path) -> None:
    open_tracker().log_setting(STUDY, LABEL, [seed_run(workspace, 0)])
    client(workspace).delete_experiment(client(workspace).get_experiment_by_name(STUDY).experiment_id)
    open_tracker().log_setting(STUDY, LABEL, [seed_run(workspace, 0)])
    assert len(runs_by_name(workspace)) == 2


def test_a_copy_below_dvc_tmp_exps_logs_to_the_workspace(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = workspace / ".dvc" / "tmp" / "exps" / "tmpabc"
    copy.mkdir(parents=True)
    (copy / "dvc.yaml").touch()
    monkeypatch.chdir(copy)
    open_tracker().log_setting(STUDY, LABEL, [seed_run(copy / "data", 0)])
    assert len(runs_by_name(workspace)) == 2
    assert (workspace / "mlruns" / "artifacts" / STUDY).is_dir()
    assert {path.name for path in copy.iterdir()} == {"dvc.yaml", "data"}


def test_no_tag_or_parameter_tells_of_this_machine(workspace: Path) -> None:
    weights = workspace / "mine.weights.h5"
    weights.touch()
    open_tracker().log_setting(STUDY, LABEL, [seed_run(workspace, 0, setting=Setting(weights=str(weights)))])
    for run in runs_by_name(workspace).values():
        words = " ".join([*run.data.tags.values(), *run.data.params.values(), run.info.user_id or ""])
        for secret in (str(workspace), str(Path.home()), socket.gethostname(), f"{getpass.getuser()}@"):
            assert secret not in words
