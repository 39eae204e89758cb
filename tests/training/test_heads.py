"""A frozen backbone stays as it was, its head learns as if it went through it each time, and a kill changes no bit."""

import json

import keras
import numpy as np
import pandas as pd
import pytest

from cxrbench.base.tables import read_table
from cxrbench.config.setting import MODELS, Setting
from cxrbench.runs.job import Job
from cxrbench.training import checkpoint, features, heads, models, trainer
from cxrbench.training.fit import train

FROZEN = {"backbone": "frozen"}
FINE_TUNED = {"backbone": "fine_tuned", "head_epochs": 2, "fine_tune_lr": 0.0005}
SIZE, COUNT = 32, 48


class Runs:
    """Trains tiny runs of one network with batch normalisation and dropout, from one file of weights."""

    def __init__(self, folder):
        self.folder, self.number = folder, 0
        rng = np.random.default_rng(0)
        target = np.arange(COUNT) % 2
        images = rng.integers(0, 120, (COUNT, SIZE, SIZE, 1)).astype("uint8")
        images[target == 1, 8:24, 8:24] += 60
        np.save(folder / "images.npy", images)
        self.images, names = images, [f"{number:02}" for number in range(COUNT)]
        parts = np.resize(["train", "train", "validation", "validation", "test", "test"], COUNT)
        rows = {"source": "a", "image_id": names, "patient_id": names, "part": parts, "target": target}
        self.rows = pd.DataFrame(rows).assign(index=range(COUNT))
        self.start = str(folder / "start.weights.h5")
        keras.utils.set_random_seed(0)
        models.build("quick_cnn", SIZE, 1, "sigmoid", None, None).save_weights(self.start)

    def job(self, seed=0, features=None, **setting):
        base = {"model": "quick_cnn", "weights": self.start, "image_size": SIZE, "batch_size": 4, "epochs": 4}
        values = Setting(**{**base, "lr": 0.01, **setting}).model_dump()
        return Job("run", values, seed, self.rows, self.folder / "images.npy", "none", self.start, features)

    def __call__(self, kept=None, until=None, **setting):
        self.number += 1
        folder = self.folder / str(self.number)
        folder.mkdir()

        def on_epoch(epoch):
            if epoch == until:
                raise KeyboardInterrupt

        try:
            train(self.job(**setting), folder, kept, on_epoch, 1, 1)
        except KeyboardInterrupt:
            assert until
        return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return Runs(tmp_path_factory.mktemp("heads"))


def assert_same(one, other):
    assert (one / "scores.csv").read_bytes() == (other / "scores.csv").read_bytes()
    histories = [read_table(folder / "history.csv", "history").drop(columns="seconds") for folder in (one, other)]
    pd.testing.assert_frame_equal(*histories, check_exact=True)


def weights_of(runs, folder):
    start = models.build("quick_cnn", SIZE, 1, "sigmoid", None, None)
    start.load_weights(runs.start)
    return start.get_weights(), keras.models.load_model(folder / "model.keras").get_weights()


@pytest.mark.parametrize("augment", ["none", "robust"])
def test_the_stored_network_is_whole_with_the_backbone_it_began_with_and_gives_the_scores_of_its_run(runs, augment):
    folder = runs(**FROZEN, augment=augment)
    before, after = weights_of(runs, folder)
    assert [np.array_equal(one, other) for one, other in zip(before, after)] == [True] * (len(before) - 2) + [False] * 2
    stored, scores = keras.models.load_model(folder / "model.keras"), read_table(folder / "scores.csv", "scores")
    images = runs.images[scores["image_id"].astype(int)]
    np.testing.assert_allclose(stored.predict(images, verbose=0)[:, 0], scores["score"], atol=1e-5)
    assert json.loads((folder / "run.json").read_text())["parameters"] == 24_577
    assert len(stored.trainable_variables) == len(after)  # whoever loads it may train it


def test_a_head_on_features_learns_what_it_learns_behind_its_backbone(runs, monkeypatch):
    quick = runs(**FROZEN)

    class Nothing(keras.layers.Layer):
        def call(self, images):
            return keras.ops.cast(images, "float32")

    monkeypatch.setattr(heads.augment, "layer", lambda name, seed: Nothing())
    behind = runs(**FROZEN)
    columns = ["loss", "val_loss", "accuracy", "val_accuracy"]
    one, other = (read_table(folder / "history.csv", "history")[columns] for folder in (quick, behind))
    np.testing.assert_allclose(one, other, atol=1e-5)
    assert one["loss"].iloc[-1] < one["loss"].iloc[0]


def test_fine_tuning_trains_the_head_alone_and_then_all_layers_at_their_own_rate(runs):
    frozen, tuned, slow = runs(**FROZEN), runs(**FINE_TUNED), runs(**{**FINE_TUNED, "fine_tune_lr": 1e-9})
    histories = [read_table(one / "history.csv", "history").drop(columns="seconds") for one in (frozen, tuned)]
    pd.testing.assert_frame_equal(*(one.iloc[:2] for one in histories), check_exact=True)
    assert not histories[0].iloc[2:].equals(histories[1].iloc[2:])
    before, after = weights_of(runs, tuned)
    assert not any(np.array_equal(one, other) for one, other in zip(before, after))
    for one, other in zip(*weights_of(runs, slow)[:1], weights_of(runs, slow)[1][:-2]):
        np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.parametrize("setting", [FROZEN, {**FINE_TUNED, "augment": "paper"}])
def test_the_same_seed_gives_the_same_bits_whatever_the_process_trained_before(runs, setting):
    first = runs(**setting)
    runs(seed=1)  # all layers, by the trainer of the same graph
    assert_same(runs(**setting), first)
    assert (runs(**setting, seed=1) / "scores.csv").read_bytes() != (first / "scores.csv").read_bytes()


@pytest.mark.parametrize(
    ("until", "augment", "optimizer"),
    [(1, "none", "adam"), (2, "none", "adam"), (3, "none", "sgd"), (3, "none", "adam"), (3, "robust", "adam")],
)
def test_a_run_that_is_interrupted_before_at_or_after_the_switch_goes_on_with_the_same_bits(
    runs, tmp_path, monkeypatch, until, augment, optimizer
):
    monkeypatch.setattr(checkpoint, "AT_LEAST_S", 0.0)
    monkeypatch.setattr(checkpoint, "SHARE", 1e9)
    setting = {**FINE_TUNED, "augment": augment, "optimizer": optimizer, "checkpoint": "best"}
    runs(kept=tmp_path / "run.npz", until=until, **setting)
    trainer.traced.cache_clear()  # a new process
    resumed = runs(kept=tmp_path / "run.npz", **setting)
    assert json.loads((resumed / "run.json").read_text())["resumed_after_epoch"] == until
    assert_same(resumed, runs(**setting))


def test_heads_share_the_features_of_their_backbone(runs, tmp_path, monkeypatch):
    path = tmp_path / "array.features.npz"
    alone = runs(**FROZEN)
    assert_same(runs(**FROZEN, features=path), alone)
    monkeypatch.setattr(heads, "_features", None)  # nothing goes through a backbone again
    assert_same(runs(**FROZEN, features=path), alone)
    runs(**FROZEN, features=path, seed=1, lr=0.1, loss="binary_focal_crossentropy")
    assert np.load(path)["features"].shape == (COUNT, 64)


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "of other images"])
def test_damaged_features_are_computed_anew(tmp_path, capsys, damage):
    path, made = tmp_path / "a.npz", np.arange(12, dtype="float32").reshape(4, 3)
    features.kept_features(path, 4, lambda: made)
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 255 * (damage == "flipped")
    path.write_bytes({"cut": whole[: len(whole) // 2], "empty": b""}.get(damage, bytes(whole)))
    count = 2 if damage == "of other images" else 4
    np.testing.assert_array_equal(features.kept_features(path, count, lambda: made[:count]), made[:count])
    assert "they are computed anew" in capsys.readouterr().err
    np.testing.assert_array_equal(features.kept_features(path, count, None), made[:count])


def test_features_without_room_on_the_disk_cost_no_run(tmp_path, capsys, monkeypatch):
    def full(file, **parts):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    assert features.kept_features(tmp_path / "a.npz", 2, lambda: np.ones((2, 3))).dtype == np.float32
    assert "No space left on device" in capsys.readouterr().err
    assert not list(tmp_path.glob("*.npz*"))


@pytest.mark.parametrize("name", [name for name in MODELS if name not in ("xception", "inception_v3")])
def test_a_network_is_its_backbone_and_its_head(name):
    size = 64
    network = models.on_grey(models.build(name, size, 2, "softmax", None, 1 if name == "covid_cnn" else None))
    backbone, head = heads.parted(network)
    images = np.random.default_rng(0).integers(0, 256, (3, size, size, 1)).astype("uint8")
    assert head.units == 2
    assert {id(v) for v in backbone.variables} == {id(v) for v in network.variables} - {id(v) for v in head.variables}
    np.testing.assert_allclose(head(backbone(images)), network(images), atol=1e-6)


def test_a_frozen_batch_normalisation_keeps_its_means_and_a_frozen_dropout_drops_nothing():
    inner = keras.Sequential([keras.Input((8,)), keras.layers.BatchNormalization(), keras.layers.Dropout(0.5)])
    still, images = heads.Still(inner), np.random.default_rng(0).normal(3, 2, (16, 8)).astype("float32")
    before = [np.array(v) for v in inner.variables]
    np.testing.assert_array_equal(still(images, training=True), inner(images, training=False))
    for one, other in zip(before, inner.variables):
        np.testing.assert_array_equal(one, other)
    assert still.variables == []
