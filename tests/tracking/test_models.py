"""The registry: what is best in a study, and that its alias never goes to a worse model."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from cxrbench.config.setting import Setting
from cxrbench.images.decode import load_square
from cxrbench.tracking.logged import Choice, MeanRun, SeedRun
from cxrbench.tracking.tracker import open_tracker
from tests.tracking.tracked_runs import LABEL, STUDY, client, runs_by_name, seed_run

NAME = "cxrbench-learning-rate"


def choice(accuracy: float, loss: float = 0.5, data: str = "pneumonia/paper/validation b", **other: str) -> Choice:
    return Choice(STUDY, other.get("experiment", "workspace"), accuracy, loss, data)


def registered(workspace: Path, best: SeedRun, chosen: Choice) -> Any:
    """The version that has the alias 'best' after ``best`` was offered."""
    tracker = open_tracker()
    tracker.log_setting(STUDY, LABEL, [best])
    tracker.register_best(STUDY, LABEL, best, chosen)
    return client(workspace).get_model_version_by_alias(NAME, "best")


def test_the_best_model_takes_image_files_and_keras_reads_its_network(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import keras
    import mlflow

    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{workspace / 'mlruns' / 'mlflow.db'}")
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(1, "sigmoid")])
    run = seed_run(workspace, 0, setting=Setting(image_size=8))
    model.save(run.folder / "model.keras")
    registered(workspace, run, choice(0.9))
    address = "models:/cxrbench-learning-rate@best"
    squares = np.random.default_rng(1).integers(0, 256, (3, 8, 8, 1), dtype="uint8")
    expected = model.predict(squares, verbose=0)
    assert np.array_equal(mlflow.keras.load_model(address).predict(squares, verbose=0), expected)
    loaded = mlflow.pyfunc.load_model(address)
    files = [io.BytesIO() for _ in range(3)]
    for square, file in zip(squares, files):
        Image.fromarray(square[..., 0].repeat(4, axis=0).repeat(4, axis=1)).save(file, "PNG")
    said = loaded.predict(pd.DataFrame({"image": [*(file.getvalue() for file in files), b"no image"]}))
    assert said["probability"].isna().tolist() == [False, False, False, True]
    (workspace / "image.png").write_bytes(files[0].getvalue())
    seen = load_square(workspace / "image.png", 8, "squash")
    assert said["probability"][0] == pytest.approx(float(model.predict(seen[None, ..., None], verbose=0)[0, 0]))
    assert said["reason"][3].startswith("not an image: none of JPEG")
    assert list(said["threshold"]) == [0.8] * 4  # of the run's scores on validation
    assert loaded.metadata.signature.outputs.input_names() == list(said)
    assert len(loaded.predict(loaded.input_example)) == 1


def test_the_alias_goes_to_a_better_model_and_never_back_to_a_worse_one(workspace: Path) -> None:
    runs = [seed_run(workspace, seed) for seed in (0, 1, 2)]
    offered = [(0, 0.8, 0.5), (0, 0.8, 0.5), (1, 0.9, 0.5), (0, 0.8, 0.1), (2, 0.9, 0.6), (2, 0.9, 0.4)]
    found = [registered(workspace, runs[seed], choice(accuracy, loss)) for seed, accuracy, loss in offered]
    assert [version.tags["seed"] for version in found] == ["0", "0", "1", "1", "1", "2"]
    assert len(client(workspace).search_model_versions(f"name = '{NAME}'")) == 3
    assert found[2].run_id == runs_by_name(workspace)[f"{LABEL} · seed 1"].info.run_id


def test_by_what_a_model_was_chosen_stands_in_its_tags(workspace: Path) -> None:
    version = registered(workspace, seed_run(workspace, 0), choice(0.8125, 0.25, experiment="brisk-lion"))
    assert {key: value for key, value in version.tags.items() if key.startswith("chosen.")} == {
        "chosen.metric": "validation_accuracy",
        "chosen.value": "0.8125",
        "chosen.loss": "0.25",
        "chosen.study": STUDY,
        "chosen.experiment": "brisk-lion",
        "chosen.data": "pneumonia/paper/validation b",
    }


def test_on_other_images_no_comparison_is_possible_and_the_alias_follows_the_present_ones(workspace: Path) -> None:
    runs = [seed_run(workspace, seed) for seed in (0, 1)]
    registered(workspace, runs[0], choice(0.99))
    assert registered(workspace, runs[1], choice(0.7, data="pneumonia/paper/validation f")).tags["seed"] == "1"


def test_the_mean_of_a_settings_networks_is_a_run_and_a_model_of_its_own(workspace: Path) -> None:
    runs = [seed_run(workspace, seed, value) for seed, value in enumerate((0.8, 0.9))]
    (workspace / "mean.keras").write_bytes(b"mean")
    mean = MeanRun(runs, workspace / "mean.keras", {"validation_accuracy": 0.95, "test_auc": 0.5})
    tracker = open_tracker()
    tracker.log_setting(STUDY, LABEL, runs)
    before = runs_by_name(workspace)[LABEL].data.metrics
    for _ in range(2):
        tracker.register_mean(STUDY, LABEL, mean, choice(0.95))
    assert not tracker.would_register_mean(choice(0.95))
    assert tracker.would_register_mean(choice(0.96))
    found = runs_by_name(workspace)
    run = found[f"{LABEL} · mean of seeds 0, 1"]
    assert run.data.metrics == {"validation_accuracy": 0.95, "test_auc": 0.5}
    assert not run.data.params  # so that MLflow's groups by a setting hold single runs alone
    version = client(workspace).get_model_version_by_alias(NAME, "best-mean")
    assert (version.run_id, version.tags["kind"], version.tags["seed"]) == (run.info.run_id, "mean", "0, 1")
    tracker.log_setting(STUDY, LABEL, runs)
    assert runs_by_name(workspace)[LABEL].data.metrics == before  # the mean network is no seed


def test_a_best_run_that_an_older_version_logged_without_a_model_gets_one(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = seed_run(workspace, 0)
    with monkeypatch.context() as patch:
        patch.setattr("cxrbench.tracking.models.Models.log", lambda *_: None)
        open_tracker().log_setting(STUDY, LABEL, [run])
    assert registered(workspace, run, choice(0.9)).tags["seed"] == "0"
