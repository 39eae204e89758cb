"""What a balanced epoch holds, and that validation judges the images as they are."""

import io
import json
import zipfile

import h5py
import keras
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrbench.base.tables import read_table
from cxrbench.config.setting import Setting
from cxrbench.runs import side_by_side
from cxrbench.runs.job import Job
from cxrbench.training import trainer
from cxrbench.training.fit import balanced, train

images = st.lists(st.tuples(st.integers(0, 2), st.sampled_from("ab")), min_size=1, max_size=60)


def columns(images):
    targets, sources = zip(*images)
    return np.array(targets), np.array(sources)


@given(images, st.integers(0, 3))
def test_a_source_shows_its_classes_equally_often_and_no_image_is_left_out(images, seed):
    targets, sources = columns(images)
    places = balanced(targets, sources, seed)
    for source in set(sources):
        held = np.unique(targets[sources == source], return_counts=True)
        seen = np.unique(targets[places][sources[places] == source], return_counts=True)
        np.testing.assert_array_equal(seen[0], held[0])
        assert set(seen[1]) == {held[1].max()}
    assert set(places) == set(range(len(targets)))


@given(images, st.integers(0, 3))
def test_images_of_a_class_are_seen_equally_often_but_for_one_time(images, seed):
    targets, sources = columns(images)
    times = np.bincount(balanced(targets, sources, seed), minlength=len(targets))
    assert all(np.ptp(times[(targets == t) & (sources == s)]) <= 1 for t, s in set(images))


def test_balanced_classes_are_seen_once_and_a_seed_repeats_its_draw():
    assert balanced(np.array([0, 1, 1, 0]), np.array(list("aaaa")), 0).tolist() == [0, 1, 2, 3]
    uneven, source = np.array([0] * 30 + [1] * 20), np.full(50, "a")
    np.testing.assert_array_equal(balanced(uneven, source, 1), balanced(uneven, source, 1))
    assert balanced(uneven, source, 1).tolist() != balanced(uneven, source, 2).tolist()


@pytest.fixture
def trained(tmp_path):
    """Trains a run of 16 noisy squares and gives its folder."""
    images = np.random.default_rng(0).integers(0, 256, (16, 64, 64, 1)).astype("uint8")
    np.save(tmp_path / "images.npy", images)
    names = [f"i{number}" for number in range(16)]
    rows = pd.DataFrame({"source": "a", "image_id": names, "patient_id": names, "part": ["train", "validation"] * 8})
    rows = rows.assign(target=[0, 0, 1, 1] * 4, index=range(16))

    def train_one(seed=0, **setting):
        values = Setting(**{"epochs": 1, **setting}).model_dump()
        job = Job("run", values, seed, rows, tmp_path / "images.npy", "none")
        train(job, tmp_path, None, lambda epoch: None, workers=2, threads=1)
        return tmp_path

    return train_one


def test_the_validation_loss_of_an_augmented_run_is_that_of_its_scores(trained):
    folder = trained(cohort="views", augment="robust", balance=True, lr=0.01)
    scores, history = read_table(folder / "scores.csv", "scores"), read_table(folder / "history.csv", "history")
    right = np.where(scores["target"] == 1, scores["score"], 1 - scores["score"])
    assert -np.log(right).mean() == pytest.approx(history["val_loss"].iloc[0], rel=1e-4)


@pytest.mark.parametrize("augment", ["none", "paper"])
def test_a_stored_model_is_its_weights_and_no_optimizer(trained, augment):
    model = trained(augment=augment) / "model.keras"
    parameters = json.loads((model.parent / "run.json").read_text())["parameters"]
    assert 4 * parameters < model.stat().st_size < 4 * parameters + 60_000
    with zipfile.ZipFile(model) as parts:
        assert not json.loads(parts.read("config.json")).get("compile_config")
        with h5py.File(io.BytesIO(parts.read("model.weights.h5"))) as weights:
            assert "optimizer" not in weights
    again = keras.models.load_model(model)
    scores = read_table(model.parent / "scores.csv", "scores")["score"]
    images = np.load(model.parent / "images.npy")[1::2]
    np.testing.assert_allclose(again.predict(images, verbose=0)[:, 0], scores, atol=1e-6)


@pytest.mark.parametrize("setting", [{}, {"augment": "robust", "balance": True}, {"optimizer": "rmsprop"}])
def test_what_a_process_trained_before_changes_no_bit(trained, setting):
    setting = {"model": "quick_cnn", "epochs": 2, **setting}

    def result(**other):
        folder = trained(**{**setting, **other})
        return (folder / "scores.csv").read_bytes(), read_table(folder / "history.csv", "history").iloc[:, :-1]

    trainer.traced.cache_clear()
    scores, history = result()
    assert result(seed=1)[0] != scores
    result(lr=0.1, batch_size=4)
    assert trainer.traced.cache_info().misses == 1  # all these are one graph
    again, same = result()
    assert again == scores
    pd.testing.assert_frame_equal(same, history, check_exact=True)
    result(loss="categorical_crossentropy")
    assert result()[0] == scores


def test_the_memory_of_a_run_is_reckoned_with_the_images_that_are_scored_at_once():
    assert side_by_side.SCORED == trainer.PREDICT_BATCH


def test_an_optimizer_starts_as_keras_makes_it_and_so_again_after_another_run(tmp_path):
    setting = Setting(model="quick_cnn", image_size=32, optimizer="adagrad", lr=0.01)
    images = np.random.default_rng(0).integers(0, 256, (8, 32, 32, 1)).astype("uint8")
    for _ in range(2):
        fresh = trainer.untrained(Job("run", setting.model_dump(), 0, pd.DataFrame(), tmp_path, "none"))
        sums = [v for v in fresh.parts.optimizer.variables if "accumulator" in v.path]
        assert len(sums) == len(fresh.parts.model.trainable_variables)
        assert all(np.all(np.array(one) == np.float32(0.1)) for one in sums)
        fresh.epoch(images, np.arange(8), (np.arange(8) % 2)[:, None].astype("float32"), 8, (0, 1))
        assert any(np.any(np.array(one) != np.float32(0.1)) for one in sums)
