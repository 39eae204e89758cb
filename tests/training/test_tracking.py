import dataclasses
import getpass
import json
import math
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cxrbench.errors import CxrbenchError
from cxrbench.manifest import write_table
from cxrbench.settings import Setting
from cxrbench.training.logged import SeedRun
from cxrbench.training.tracking import Tracker, open_tracker

STUDY, LABEL = "learning-rate", "lr=0.001"
ENVIRONMENT = {"python": "3.11", "keras": "3.15.1", "backend": "tensorflow", "tensorflow": "2.21.0"}


def write_run(folder: Path, seed: int, setting: Setting, losses: list[float]) -> None:
    folder.mkdir(parents=True)
    epochs = np.arange(1, len(losses) + 1)
    table = {"epoch": epochs, "loss": losses, "accuracy": 0.9, "val_loss": losses, "val_accuracy": 0.8, "seconds": 1.0}
    write_table(folder / "history.csv", pd.DataFrame(table), "history")
    record = {
        "run": folder.name,
        "setting": dataclasses.asdict(setting),
        "seed": seed,
        "parameters": 7,
        "epochs_done": len(losses),
        "checkpoint_epoch": len(losses),
        **dict.fromkeys(("first_epoch_seconds", "epoch_seconds", "train_seconds"), 1.5),
        "data": {"sha256": "a" * 64},
        "environment": ENVIRONMENT,
    }
    (folder / "run.json").write_text(json.dumps(record))
    (folder / "model.keras").write_bytes(b"weights")


def seed_run(folder: Path, seed: int, value: float = 0.9, setting: Setting | None = None, **other: Any) -> SeedRun:
    """A run of ``setting`` and ``seed``, written into a folder of ``folder`` where it is not there yet."""
    setting = setting or Setting()
    place = folder / f"{seed:08x}{round(setting.lr * 1e6):08x}"
    if not place.exists():
        write_run(place, seed, setting, other.get("losses", [0.5, 0.25]))
    return SeedRun(place, {"validation_accuracy": value, "test_auc": value / 2}, other.get("status", "ok"))


@pytest.fixture(scope="module")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store whose tables are made; making them takes a second, copying them none."""
    folder = tmp_path_factory.mktemp("store")
    Tracker(f"sqlite:///{folder / 'mlflow.db'}", folder, folder / "artifacts", {})
    return folder / "mlflow.db"


@pytest.fixture
def workspace(tmp_path: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with an empty store, as the current folder."""
    for name in ("MLFLOW_TRACKING_URI", "DVC_EXP_NAME", "DVC_EXP_BASELINE_REV"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "mlruns").mkdir()
    shutil.copyfile(empty_store, tmp_path / "mlruns" / "mlflow.db")
    (tmp_path / "dvc.yaml").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def client(workspace: Path) -> Any:
    from mlflow import MlflowClient

    uri = f"sqlite:///{workspace / 'mlruns' / 'mlflow.db'}"
    return MlflowClient(uri, registry_uri=uri)


def runs_by_name(workspace: Path, study: str = STUDY) -> dict[str, Any]:
    """The study's runs by name; fails where two share one."""
    found = client(workspace).search_runs([client(workspace).get_experiment_by_name(study).experiment_id])
    names = [run.info.run_name for run in found]
    assert len(set(names)) == len(names), names
    return dict(zip(names, found))


def content(workspace: Path) -> list[tuple[Any, ...]]:
    """All that the store says of every run, comparable."""
    found = runs_by_name(workspace).values()
    return sorted(
        (r.info.run_id, r.info.end_time, str(r.data.metrics), str(r.data.tags), str(r.data.params)) for r in found
    )


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
    steps = client(workspace).get_metric_history(child.info.run_id, "val_loss")
    assert [(point.step, point.value) for point in steps] == [(1, 0.5), (2, 0.25)]
    note = client(workspace).get_experiment_by_name(STUDY).tags["mlflow.note.content"]
    assert note.startswith("lr=0.001, lr=0.1: which does best")


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
    assert runs[LABEL].data.metrics["test_f1_mean"] == 0.7
    assert runs[LABEL].data.metrics["runs_degenerate"] == 1


def test_a_diverged_run_is_logged_as_such_without_its_nan(workspace: Path) -> None:
    diverged = seed_run(workspace, 0, math.nan, losses=[0.5, math.nan], status="diverged")
    open_tracker().log_setting(STUDY, LABEL, [diverged, seed_run(workspace, 1)])
    runs = runs_by_name(workspace)
    child = runs[f"{LABEL} · seed 0"]
    assert child.data.tags["status"] == "diverged"
    assert "test_auc" not in child.data.metrics
    assert len(client(workspace).get_metric_history(child.info.run_id, "loss")) == 1
    assert (runs[LABEL].data.metrics["runs_diverged"], runs[LABEL].data.metrics["test_auc_n"]) == (1, 1)


def test_a_thousand_epochs_are_all_logged(workspace: Path) -> None:
    open_tracker().log_setting(STUDY, LABEL, [seed_run(workspace, 0, losses=[0.5] * 1001)])
    child = runs_by_name(workspace)[f"{LABEL} · seed 0"]
    assert len(client(workspace).get_metric_history(child.info.run_id, "seconds")) == 1001


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


def test_a_store_that_can_not_be_used_is_one_sentence_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(CxrbenchError, match="MLFLOW_TRACKING_URI") as caught:
        Tracker("nosuch://me:secret@example.org/store", tmp_path, None, {})
    assert "secret" not in str(caught.value)


PROGRAM = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_tracking import seed_run, Setting
from cxrbench.training.tracking import open_tracker
label, draw = sys.argv[1], lambda run: {{}}
if label == "killed":
    draw = lambda run: os.kill(os.getpid(), signal.SIGKILL)
tracker = open_tracker()
runs = Path(sys.argv[2])
for name in dict.fromkeys((label, "shared")):
    tracker.log_setting("learning-rate", name, [seed_run(runs, seed) for seed in (0, 1)], draw)
assert "tensorflow" not in sys.modules and "keras" not in sys.modules
"""


def start(workspace: Path, label: str) -> subprocess.Popen[str]:
    program = PROGRAM.format(tests=str(Path(__file__).parent))
    command = [sys.executable, "-c", program, label, str(workspace / "runs")]
    return subprocess.Popen(command, cwd=workspace, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_two_processes_make_one_store_together_lose_no_run_and_say_nothing(workspace: Path) -> None:
    (workspace / "mlruns" / "mlflow.db").unlink()
    for seed in (0, 1):
        seed_run(workspace / "runs", seed)
    processes = [start(workspace, label) for label in ("one", "two")]
    assert [process.communicate()[0] for process in processes] == ["", ""]
    assert [process.returncode for process in processes] == [0, 0]
    labels = ("one", "two", "shared")
    expected = {*labels, *(f"{label} · seed {seed}" for label in labels for seed in (0, 1))}
    assert runs_by_name(workspace).keys() == expected


def test_a_run_of_a_killed_process_is_replaced(workspace: Path) -> None:
    process = start(workspace, "killed")
    process.communicate()
    assert process.returncode == -9
    assert {run.info.status for run in runs_by_name(workspace).values()} == {"RUNNING"}
    runs = [seed_run(workspace / "runs", seed) for seed in (0, 1)]
    open_tracker().log_setting(STUDY, "killed", runs)
    found = runs_by_name(workspace)
    assert {run.info.status for run in found.values()} == {"FINISHED"}
    assert found.keys() == {"killed", "killed · seed 0", "killed · seed 1"}
    assert found["killed"].data.params["lr"] == "0.001"


def test_the_best_model_loads_from_the_registry_and_predicts_as_it_did(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import keras
    import mlflow

    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{workspace / 'mlruns' / 'mlflow.db'}")
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(1)])
    run = seed_run(workspace, 0, setting=Setting(image_size=8))
    model.save(run.folder / "model.keras")
    tracker = open_tracker()
    tracker.log_setting(STUDY, LABEL, [run])
    tracker.register_best(STUDY, LABEL, run)
    images = np.random.default_rng(1).integers(0, 256, (3, 8, 8, 1), dtype="uint8")
    expected = model.predict(images, verbose=0)
    address = "models:/cxrbench-learning-rate@best"
    assert np.array_equal(mlflow.keras.load_model(address).predict(images, verbose=0), expected)
    loaded = mlflow.pyfunc.load_model(address)
    assert np.array_equal(loaded.predict(images), expected)
    assert loaded.metadata.signature.outputs.inputs[0].shape == (-1, 1)
    example = loaded.input_example
    assert (example.shape, example.dtype) == ((1, 8, 8, 1), np.uint8)
    assert loaded.predict(example).shape == (1, 1)


def test_the_alias_follows_the_best_and_no_run_is_registered_twice(workspace: Path) -> None:
    tracker = open_tracker()
    runs = [seed_run(workspace, 0), seed_run(workspace, 1)]
    tracker.log_setting(STUDY, LABEL, runs)
    aliased = []
    for best in (runs[0], runs[0], runs[1], runs[0]):
        tracker.register_best(STUDY, LABEL, best)
        aliased.append(client(workspace).get_model_version_by_alias("cxrbench-learning-rate", "best"))
    assert [int(version.version) for version in aliased] == [1, 1, 2, 1]
    assert [version.tags["fingerprint"] for version in aliased[1:3]] == [run.record["run"] for run in runs]
    assert len(client(workspace).search_model_versions("name = 'cxrbench-learning-rate'")) == 2
    found = runs_by_name(workspace)
    assert aliased[2].run_id == found[f"{LABEL} · seed 1"].info.run_id
