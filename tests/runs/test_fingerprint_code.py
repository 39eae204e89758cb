"""Which code a run's fingerprint covers: all that the run passes through, and no other."""

import json
import pickle
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from cxrbench.base.code import SOURCE, Code
from cxrbench.config.setting import AUGMENTS, MODELS, Setting
from cxrbench.runs import fingerprint as fingerprints
from cxrbench.runs.fingerprint import fingerprint
from cxrbench.runs.job import Job


@pytest.fixture(autouse=True)
def on_a_cpu(monkeypatch):
    """No test asks a backend that may not be installed for its device."""
    monkeypatch.setattr(fingerprints, "device", lambda: "cpu")


SETTINGS = {
    "plain": Setting(),
    "quick": Setting(model="quick_cnn"),
    "padded": Setting(model="covid_cnn", padding=1),
    "large": Setting(model="xception", image_size=71),
    "other large": Setting(model="inception_v3", image_size=75),
    "residual": Setting(model="resnet50"),
    "augmented": Setting(augment="paper"),
    "robust": Setting(augment="robust"),
}
ALL = set(SETTINGS)
# A file of the code -> the settings that are trained again when what it does changes.
TRAINED_AGAIN = {
    "training/fit.py": ALL,
    "training/trainer.py": ALL,
    "training/losses/__init__.py": ALL,
    "training/optimizers/__init__.py": ALL,
    "training/form.py": ALL,
    "training/backend.py": ALL,
    "training/epoch_log.py": ALL,
    "training/checkpoint.py": ALL,
    "training/models/__init__.py": ALL,
    "training/augment/__init__.py": ALL,
    "training/steps/__init__.py": ALL,
    "training/steps/on_tensorflow.py": ALL,
    "images/squares.py": ALL,
    "images/decode.py": ALL,
    "images/dicom_elements.py": ALL,
    "images/margin.py": ALL,
    "training/steps/on_jax.py": set(),
    "training/steps/on_torch.py": set(),
    "training/models/small_cnn.py": {"plain", "augmented", "robust"},
    "training/models/quick_cnn.py": {"quick"},
    "training/models/covid_cnn.py": {"padded"},
    "training/models/xception.py": {"large"},
    "training/models/inception_v3.py": {"other large"},
    "training/models/resnet50.py": {"residual"},
    "training/applications.py": {"large", "other large"},
    "training/augment/paper.py": {"augmented"},
    "training/augment/robust.py": {"robust"},
    "training/geometry.py": {"augmented", "robust"},
    "images/perceptual.py": set(),
    "images/examine.py": set(),
    "images/thumbnail.py": set(),
    "base/files.py": set(),
    "config/studies.py": set(),
    "runs/plan.py": set(),
    "evaluation/metrics/__init__.py": set(),
    "stages/train_grid.py": set(),
}


@pytest.fixture
def names(tmp_path, monkeypatch):
    """A function that gives the fingerprint of each of ``SETTINGS`` under a copy of the code, and that copy."""
    copy = tmp_path / "cxrbench"
    shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")

    def now():
        code = Code(fingerprints.HASHED, copy)
        monkeypatch.setattr(fingerprints, "code", lambda module: code)
        return {name: fingerprint(setting, 0, "d") for name, setting in SETTINGS.items()}

    return now, copy


def test_a_change_of_the_code_trains_again_what_passes_through_it_and_nothing_else(names):
    now, copy = names
    plain = now()
    for name, again in TRAINED_AGAIN.items():
        text = (copy / name).read_text(encoding="utf-8")
        (copy / name).write_text(f"{text}\n\nCHANGED = 1\n", encoding="utf-8")
        changed = now()
        assert {setting for setting in ALL if changed[setting] != plain[setting]} == again, name
        (copy / name).write_text(text, encoding="utf-8")


def test_comments_docstrings_and_annotations_train_nothing_again(names):
    now, copy = names
    plain = now()
    for path in copy.rglob("*.py"):
        text = path.read_text(encoding="utf-8").replace("-> Any:", "-> object:")
        path.write_text(f"# A comment.\n{text}\n\n'A docstring.'\n", encoding="utf-8")
    assert now() == plain


def test_a_new_model_a_new_augmentation_and_a_new_backend_train_nothing_again(names):
    now, copy = names
    plain = now()
    for name in ("models/new_cnn.py", "augment/new.py", "steps/on_new.py", "new.py"):
        (copy / "training" / name).write_text("import keras\n", encoding="utf-8")
    (copy / "images/new.py").write_text("import numpy\n", encoding="utf-8")
    assert now() == plain


def test_a_moved_file_trains_nothing_again(names):
    now, copy = names
    plain = now()
    (copy / "training/epoch_log.py").rename(copy / "training/history.py")
    (copy / "training/geometry.py").rename(copy / "training/plane.py")
    moves = {"training.epoch_log": "training.history", "training.geometry": "training.plane"}
    for path in copy.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        for old, new in moves.items():
            text = text.replace(f"cxrbench.{old} import", f"cxrbench.{new} import")
        path.write_text(text, encoding="utf-8")
    assert now() == plain


def test_each_model_and_augmentation_that_a_setting_may_name_has_its_code_in_the_fingerprint():
    for model in MODELS:
        setting = Setting(model=model, padding=1 if model == "covid_cnn" else None)
        assert [fingerprints.code(module).sha256(module) for module in fingerprints.modules(setting)]
    for augment in AUGMENTS:
        assert [fingerprints.code(module).sha256(module) for module in fingerprints.modules(Setting(augment=augment))]


def test_another_backends_steps_are_another_run(monkeypatch):
    found = {}
    for name in ("tensorflow", "jax", "torch"):
        monkeypatch.setenv("KERAS_BACKEND", name)
        found[name] = [fingerprints.code(module).sha256(module) for module in fingerprints.modules(Setting())]
    assert len({str(hashes) for hashes in found.values()}) == 3


RUN = """
import json, pathlib, pickle, sys
folder = pathlib.Path(sys.argv[1])
from cxrbench.images import squares
from cxrbench.training import backend
backend.start(1)
from cxrbench.training import fit
fit.train(pickle.loads((folder / "job").read_bytes()), folder, None, lambda epoch: None, 1, 1)
print(json.dumps(sorted(name for name in sys.modules if name.startswith(("cxrbench.images", "cxrbench.training")))))
"""


@pytest.mark.slow
def test_a_worker_loads_no_code_that_the_fingerprint_leaves_out(tmp_path):
    setting = Setting(augment="robust", model="quick_cnn", image_size=32, epochs=1, batch_size=8, balance=True)
    np.save(tmp_path / "images.npy", np.random.default_rng(0).integers(0, 256, (16, 32, 32, 1)).astype("uint8"))
    rows = pd.DataFrame({"source": "a", "image_id": [f"i{n:02}" for n in range(16)], "patient_id": "p"})
    rows = rows.assign(part=["train", "validation"] * 8, target=[0, 0, 1, 1] * 4, index=range(16))
    job = Job("run", setting.model_dump(), 0, rows, tmp_path / "images.npy", "none")
    (tmp_path / "job").write_bytes(pickle.dumps(job))
    done = subprocess.run([sys.executable, "-c", RUN, str(tmp_path)], capture_output=True, text=True, check=True)
    code = Code(fingerprints.HASHED)
    for module in fingerprints.modules(setting):
        code.sha256(module)
    left_out = set(json.loads(done.stdout.splitlines()[-1])) - set(code.hashes)
    empty = code.sha256("cxrbench.images")  # a docstring alone
    assert {name for name in left_out if code.sha256(name) != empty} == set()
