"""A run keeps its name exactly as long as nothing that decides its result has changed."""

import dataclasses
import importlib.metadata

import pytest

from cxrbench.base.errors import CxrbenchError
from cxrbench.config.loss_forms import LOSS_FORMS
from cxrbench.config.setting import LATER_KEYS, SETTING_KEYS, Setting, replace
from cxrbench.runs import fingerprint as fingerprints
from cxrbench.runs.fingerprint import fingerprint


@pytest.fixture(autouse=True)
def on_a_cpu(monkeypatch):
    """No test asks a backend that may not be installed for its device."""
    monkeypatch.setattr(fingerprints, "device", lambda: "cpu")


OTHER = {
    "cohort": "covid", "protocol": "patient", "model": "xception", "weights": "imagenet", "image_size": 96,
    "resize": "pad", "hide": "lungs", "augment": "paper", "balance": True, "optimizer": "sgd", "lr": 0.1,
    "batch_size": 8, "epochs": 9, "loss": "categorical_crossentropy", "padding": 1, "checkpoint": "best",
    "precision": "mixed_bfloat16", "threads": 2, "redraw": True,
    "backbone": "frozen", "head_epochs": 3, "fine_tune_lr": 0.0002,
}  # fmt: skip
BASES = {  # of settings that others ask for
    "padding": Setting(model="covid_cnn", padding=2),
    "backbone": Setting(weights="imagenet"),
    **dict.fromkeys(
        ("head_epochs", "fine_tune_lr"),
        Setting(weights="imagenet", backbone="fine_tuned", head_epochs=2, fine_tune_lr=0.0001),
    ),
}


@pytest.mark.parametrize("key", SETTING_KEYS)
def test_every_part_of_a_setting_is_in_the_fingerprint(key):
    base = BASES.get(key, Setting())
    other = replace(base, {key: OTHER[key]})
    assert fingerprint(base, 0, "d") != fingerprint(other, 0, "d")


def test_seed_data_and_device_are_in_the_fingerprint(monkeypatch):
    monkeypatch.setattr(fingerprints, "device", lambda: "cpu")
    plain = fingerprint(Setting(), 0, "d")
    assert plain == fingerprint(Setting(), 0, "d")
    assert len({plain, fingerprint(Setting(), 1, "d"), fingerprint(Setting(), 0, "e")}) == 3
    monkeypatch.setattr(fingerprints, "device", lambda: "NVIDIA H100")
    assert fingerprint(Setting(), 0, "d") != plain


def test_the_versions_of_the_decoders_are_in_the_fingerprint(monkeypatch):
    plain = fingerprint(Setting(), 0, "d")
    for name in fingerprints.decode.decoders():
        changed = {**fingerprints.decode.decoders(), name: "0.0"}
        with monkeypatch.context() as patch:
            patch.setattr(fingerprints.decode, "decoders", lambda changed=changed: changed)
            assert fingerprint(Setting(), 0, "d") != plain, name


def test_what_a_losss_name_stands_for_is_in_the_fingerprint(monkeypatch):
    plain = fingerprint(Setting(loss="binary_focal_crossentropy"), 0, "d")
    form = dataclasses.replace(LOSS_FORMS["binary_focal_crossentropy"], arguments=(("gamma", 3.0),))
    monkeypatch.setitem(LOSS_FORMS, "binary_focal_crossentropy", form)
    assert fingerprint(Setting(loss="binary_focal_crossentropy"), 0, "d") != plain


def test_the_content_of_a_weights_file_is_in_the_fingerprint(tmp_path):
    weights = tmp_path / "w.weights.h5"
    weights.write_bytes(b"1")
    one = fingerprint(Setting(weights=str(weights)), 0, "d")
    weights.write_bytes(b"2")
    assert fingerprint(Setting(weights=str(weights)), 0, "d") != one


@pytest.mark.parametrize(
    ("backend", "package"),
    [("tensorflow", "tensorflow"), ("jax", "jax"), ("jax", "jaxlib"), ("torch", "torch"), ("torch", "keras")],
)
def test_the_versions_of_the_backend_in_use_are_in_the_fingerprint(monkeypatch, backend, package):
    installed = dict.fromkeys(("keras", "tensorflow", "jax", "jaxlib", "torch", "numpy"), "1.0")
    version = importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", lambda name: installed.get(name) or version(name))
    monkeypatch.setenv("KERAS_BACKEND", backend)
    one = fingerprint(Setting(), 0, "d")
    monkeypatch.setitem(installed, package, "1.1")
    assert fingerprint(Setting(), 0, "d") != one


def test_each_backend_has_a_fingerprint_of_its_own_and_tensorflow_is_the_one_where_none_is_named(monkeypatch):
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "1.0")
    found = {}
    for name in ("", "tensorflow", "jax", "torch"):
        monkeypatch.setenv("KERAS_BACKEND", name)
        found[name] = fingerprint(Setting(), 0, "d")
    assert found[""] == found["tensorflow"]
    assert len(set(found.values())) == 3


@pytest.mark.parametrize(
    ("name", "told"),
    [("theano", "KERAS_BACKEND is 'theano'; it must be one of tensorflow, jax, torch"), ("torch", "torch is not inst")],
)
def test_a_backend_that_is_not_there_is_an_error_in_words(monkeypatch, name, told):
    version = importlib.metadata.version

    def without_torch(package):
        if package == "torch":
            raise importlib.metadata.PackageNotFoundError(package)
        return version(package)

    monkeypatch.setattr(importlib.metadata, "version", without_torch)
    monkeypatch.setenv("KERAS_BACKEND", name)
    with pytest.raises(CxrbenchError, match=told):
        fingerprint(Setting(), 0, "d")


def test_a_weights_file_counts_by_its_content_not_by_its_place(tmp_path):
    names = [tmp_path / f"{name}.weights.h5" for name in ("here", "moved", "other")]
    for path, content in zip(names, (b"a", b"a", b"b")):
        path.write_bytes(content)
    here, moved, other = (fingerprint(Setting(weights=str(path)), 0, "d") for path in names)
    assert here == moved != other
    assert len({here, fingerprint(Setting(), 0, "d"), fingerprint(Setting(weights="imagenet"), 0, "d")}) == 3


def test_a_setting_that_came_later_changes_no_fingerprint_while_it_has_its_default(monkeypatch):
    hashed = []
    monkeypatch.setattr(fingerprints.json, "dumps", lambda tree, **_: hashed.append(tree) or "")
    fingerprint(Setting(), 0, "d")
    fingerprint(Setting(redraw=True), 0, "d")
    earlier, later = (tree["setting"] for tree in hashed)
    assert "redraw" not in earlier
    assert list(earlier) == [key for key in SETTING_KEYS if key not in ("weights", *LATER_KEYS)]
    assert set(LATER_KEYS) == {"redraw", "backbone", "head_epochs", "fine_tune_lr"}
    assert later == {**earlier, "redraw": True}
    assert "redraw" not in fingerprints.values_of(Setting())  # a run's record is as earlier ones are


def test_features_of_a_backbone_are_named_by_all_that_decides_them_and_by_nothing_that_trains_a_head(tmp_path):
    weights = tmp_path / "w.weights.h5"
    weights.write_bytes(b"1")
    base = Setting(model="resnet50", weights="imagenet", backbone="frozen")
    name = fingerprints.features_name(base)
    heads = {"lr": 0.1, "batch_size": 4, "epochs": 9, "optimizer": "sgd", "checkpoint": "best", "balance": True,
             "loss": "categorical_crossentropy", "protocol": "patient"}  # fmt: skip
    assert {fingerprints.features_name(replace(base, {key: value})) for key, value in heads.items()} == {name}
    others = {
        "model": "xception",
        "weights": str(weights),
        "hide": "lungs",
        "precision": "mixed_bfloat16",
        "threads": 2,
    }
    found = {fingerprints.features_name(replace(base, {key: value})) for key, value in others.items()}
    assert len({name, *found}) == 1 + len(others)
