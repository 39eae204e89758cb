"""A run is found again exactly when nothing that decides it has changed, and only when it is whole."""

import os

import pytest

from cxrbench.config.setting import SETTING_KEYS, Setting, replace
from cxrbench.runs import store as stores
from cxrbench.runs.store import RunStore, fingerprint

OTHER = {
    "cohort": "covid", "protocol": "patient", "model": "xception", "weights": "imagenet", "image_size": 96,
    "resize": "pad", "augment": "paper", "balance": True, "optimizer": "sgd", "lr": 0.1, "batch_size": 8, "epochs": 9,
    "loss": "categorical_crossentropy", "padding": 1, "checkpoint": "best",
}  # fmt: skip


@pytest.mark.parametrize("key", SETTING_KEYS)
def test_every_part_of_a_setting_is_in_the_fingerprint(key):
    base = Setting(model="covid_cnn", padding=2) if key == "padding" else Setting()
    other = replace(base, {key: OTHER[key]})
    assert fingerprint(base, 0, "d") != fingerprint(other, 0, "d")


def test_seed_data_code_backend_and_weights_are_in_the_fingerprint(monkeypatch, tmp_path):
    plain = fingerprint(Setting(), 0, "d")
    assert plain == fingerprint(Setting(), 0, "d")
    assert len({plain, fingerprint(Setting(), 1, "d"), fingerprint(Setting(), 0, "e")}) == 3
    with monkeypatch.context() as patch:
        patch.setattr(stores, "code_sha256", lambda: "other")
        assert fingerprint(Setting(), 0, "d") != plain
    with monkeypatch.context() as patch:
        patch.setenv("KERAS_BACKEND", "jax")
        assert fingerprint(Setting(), 0, "d") != plain
    weights = tmp_path / "w.weights.h5"
    weights.write_bytes(b"1")
    one = fingerprint(Setting(weights=str(weights)), 0, "d")
    weights.write_bytes(b"2")
    assert fingerprint(Setting(weights=str(weights)), 0, "d") != one


def test_the_training_code_is_all_there():
    from pathlib import Path

    import cxrbench

    root = Path(cxrbench.__file__).parent
    assert all((root / name).exists() for name in stores.TRAINING_CODE)


def written(store, run="a" * 16, text="scores"):
    folder = store.begin(run)
    (folder / "scores.csv").write_text(text)
    return folder


def test_a_run_is_there_only_when_it_is_whole(tmp_path):
    store = RunStore(tmp_path / "runs")
    folder = written(store)
    assert not store.has("a" * 16)
    store.commit("a" * 16, folder)
    assert store.has("a" * 16)
    store.copy_out("a" * 16, tmp_path / "out")
    assert os.listdir(tmp_path / "out") == ["scores.csv"]


@pytest.mark.parametrize("damage", ["change", "delete", "no checksums", "broken checksums", "empty checksums"])
def test_a_damaged_entry_is_dropped_with_a_word(tmp_path, capsys, damage):
    store = RunStore(tmp_path)
    store.commit("a" * 16, written(store))
    entry = store.path("a" * 16)
    if damage == "change":
        (entry / "scores.csv").write_text("scorez")
    elif damage == "delete":
        (entry / "scores.csv").unlink()
    elif damage == "no checksums":
        (entry / stores.CHECKSUMS).unlink()
    else:
        (entry / stores.CHECKSUMS).write_text("{" if damage == "broken checksums" else "{}")
    assert not store.has("a" * 16)
    assert "damaged" in capsys.readouterr().err
    assert not entry.exists()
    store.commit("a" * 16, written(store))
    assert store.has("a" * 16)


def test_the_first_of_two_processes_wins_and_nothing_is_left_over(tmp_path):
    store = RunStore(tmp_path)
    first, second = written(store, text="first"), written(store, text="second")
    store.commit("a" * 16, first)
    store.commit("a" * 16, second)
    assert (store.path("a" * 16) / "scores.csv").read_text() == "first"
    assert [p.name for p in tmp_path.iterdir()] == ["a" * 16]
