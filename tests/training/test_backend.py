"""A worker settles what a user's own Keras settings would decide."""

import json
import os
import subprocess
import sys

import pytest

from cxrbench.training import backend

pytestmark = pytest.mark.slow
SETTINGS = {"floatx": "float64", "image_data_format": "channels_first", "epsilon": 0.1, "backend": "jax"}
LIMITS = {"KERAS_MAX_EPOCHS": "1", "KERAS_MAX_STEPS_PER_EPOCH": "1"}  # for debugging
RUN = """
import sys
from cxrbench.training import backend
backend.start(1)
from pathlib import Path
import numpy as np
import pandas as pd
from cxrbench.config.setting import Setting
from cxrbench.runs.job import Job
from cxrbench.training.fit import train

folder = Path(sys.argv[1])
np.save(folder / "images.npy", np.random.default_rng(0).integers(0, 256, (16, 64, 64, 1)).astype("uint8"))
names = [str(number) for number in range(16)]
rows = pd.DataFrame({"source": "a", "image_id": names, "patient_id": names, "part": ["train", "validation"] * 8})
rows = rows.assign(target=[0, 0, 1, 1] * 4, index=range(16))
setting = Setting(epochs=2, batch_size=4, model="covid_cnn", padding=1).model_dump()
train(Job("run", setting, 0, rows, folder / "images.npy", "none"), folder, None, lambda epoch: None, 1, 1)
"""


def scores_of(folder, **environment):
    """The scores of a tiny run in a process of this environment."""
    folder.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KERAS")}
    command = [sys.executable, "-c", RUN, str(folder)]
    done = subprocess.run(command, env={**kept, **environment}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return (folder / "scores.csv").read_text()


def test_a_users_keras_json_and_keras_own_variables_decide_nothing(tmp_path):
    (tmp_path / "plain").mkdir()
    plain = scores_of(tmp_path / "run", KERAS_HOME=str(tmp_path / "plain"))
    (tmp_path / "keras.json").write_text(json.dumps(SETTINGS))
    assert scores_of(tmp_path / "other", KERAS_HOME=str(tmp_path), **LIMITS) == plain


def test_params_yaml_names_the_backend_and_another_one_in_the_environment_is_told(monkeypatch, capsys):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    backend.choose("jax")
    assert backend.backend_name() == "jax"
    assert "params.yaml says backend: jax, and KERAS_BACKEND is torch" in capsys.readouterr().err
    backend.choose("jax")
    assert capsys.readouterr().err == ""
