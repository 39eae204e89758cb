"""The backends of Keras train the same: one epoch from the same weights gives scores that agree."""

import importlib.util
import os
import subprocess
import sys

import numpy as np
import pytest

from cxrbench.base.tables import read_table
from cxrbench.training import models
from cxrbench.training.backend import BACKENDS

pytestmark = pytest.mark.slow
TOLERANCE = 2e-3  # of P(target): float32 sums in another order, over six steps
FINE_TUNED = {"backbone": "fine_tuned", "head_epochs": 1, "fine_tune_lr": 0.002}
RUN = """
import sys
from pathlib import Path
from cxrbench.training import backend
backend.start(1)
import numpy as np
import pandas as pd
from cxrbench.runs.job import Job
from cxrbench.training.fit import train

folder, more = Path(sys.argv[1]), eval(sys.argv[2])
rng = np.random.default_rng(0)
target = np.arange(96) % 2
images = rng.integers(0, 120, (96, 32, 32, 1)).astype("uint8")
images[target == 1, 8:24, 8:24] += 60
np.save(folder / "images.npy", images)
names = [f"{number:02}" for number in range(96)]
parts = np.repeat(["train", "validation", "test"], [44, 26, 26])
rows = pd.DataFrame({"source": "a", "image_id": names, "patient_id": names, "part": parts, "target": target})
setting = {
    "model": "quick_cnn", "image_size": 32, "padding": None, "loss": "binary_crossentropy", "precision": "float32",
    "optimizer": "adam", "hide": "nothing", "augment": "none", "lr": 0.003, "balance": False,
    "batch_size": 8, "epochs": 1, "checkpoint": "last", **more,
}
start = str(folder / "start.weights.h5")
job = Job("run", setting, 0, rows.assign(index=range(96)), folder / "images.npy", "none", start)
train(job, folder, None, lambda epoch: None, 1, 1)
heavy = {"dvc", "mlflow", "great_expectations", "pydantic"} & set(sys.modules)
assert not heavy, heavy
"""


def trained(folder, name, **setting):
    """The tables of a run on the backend ``name``."""
    if not all(importlib.util.find_spec(package) for package in BACKENDS[name]):
        pytest.skip(f"{name} is not installed; 'pip install cxrbench[{name}]' brings it")
    folder.mkdir()
    network = models.build("quick_cnn", 32, 1, "sigmoid", None, None)
    rng = np.random.default_rng(0)
    deviations = [np.sqrt(2 / np.prod(w.shape[:-1])) * (w.ndim > 1) for w in network.get_weights()]  # He's; no bias
    network.set_weights([rng.normal(0, sd, w.shape) for sd, w in zip(deviations, network.get_weights())])
    network.save_weights(folder / "start.weights.h5")
    environment = {**os.environ, "KERAS_BACKEND": name, "CUDA_VISIBLE_DEVICES": "-1"}
    command = [sys.executable, "-c", RUN, str(folder), repr(setting)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return read_table(folder / "scores.csv", "scores"), read_table(folder / "history.csv", "history")


@pytest.mark.parametrize("name", [name for name in BACKENDS if name != "tensorflow"])
@pytest.mark.parametrize("setting", [{}, {**FINE_TUNED, "epochs": 2}], ids=["trained", "fine_tuned"])
def test_a_backend_gives_the_scores_of_tensorflow(tmp_path, name, setting):
    scores, history = trained(tmp_path / name, name, **setting)
    expected, expected_history = trained(tmp_path / "tensorflow", "tensorflow", **setting)
    np.testing.assert_allclose(scores["score"], expected["score"], atol=TOLERANCE)
    np.testing.assert_allclose(history["loss"], expected_history["loss"], rtol=TOLERANCE)
    np.testing.assert_allclose(history["val_loss"], expected_history["val_loss"], rtol=TOLERANCE)
    assert expected["score"].std() > 20 * TOLERANCE


@pytest.mark.parametrize("name", BACKENDS)
def test_every_backend_trains_behind_an_augmentation_and_imports_no_tool_of_the_parent(tmp_path, name):
    scores, _ = trained(tmp_path / name, name, augment="robust")
    assert np.isfinite(scores["score"]).all()


@pytest.mark.parametrize("name", [name for name in BACKENDS if name != "tensorflow"])
def test_a_backend_freezes_a_backbone_behind_an_augmentation_and_thaws_it(tmp_path, name):
    scores, history = trained(tmp_path / name, name, augment="robust", epochs=3, **FINE_TUNED)
    assert np.isfinite(scores["score"]).all()
    assert history["loss"].iloc[-1] < history["loss"].iloc[0] - 0.02
