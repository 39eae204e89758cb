"""A stored view network knows how to be used, and one that is missing, damaged or another's is one sentence."""

import dataclasses
import json
from pathlib import Path

import pytest

from cxrbench.base.errors import CxrbenchError
from cxrbench.views import stored


@pytest.fixture
def model(tmp_path):
    (tmp_path / "trained").write_bytes(b"weights")
    learnt = {"mimic": {"train": {"frontal": 4510, "lateral": 9}, "validation": {"frontal": 1, "lateral": 1}}}
    described = stored.ViewModel(
        tmp_path / "out" / "model.keras", "categorical_crossentropy", 96, "pad", (0.2, 0.7), "f00d", learnt
    )
    return stored.save(tmp_path / "trained", described)


def test_what_is_saved_is_loaded(model):
    assert stored.load(model.path) == model
    assert model.path.read_bytes() == b"weights"
    assert model.origin == "view network f00d, trained on 4,510 frontal and 9 lateral images of mimic"


def test_a_new_network_leaves_other_names_of_the_old_file_as_they_are(model, tmp_path):
    """A logged model holds the view network as one more name of its file."""
    (tmp_path / "logged").hardlink_to(model.path)
    (tmp_path / "trained").write_bytes(b"new weights")
    stored.save(tmp_path / "trained", model)
    assert (tmp_path / "logged").read_bytes() == b"weights"
    assert model.path.read_bytes() == b"new weights"


@pytest.mark.parametrize(
    ("learnt", "teacher", "other"), [("squash", "squash", "trim"), ("trim", "trim", "trim"), ("pad", "pad", "pad")]
)
def test_films_of_other_sources_lose_the_margins_that_no_teacher_had(model, learnt, teacher, other):
    model = dataclasses.replace(model, resize=learnt)
    assert (model.resize_for("mimic"), model.resize_for("covid"), model.resize_for(None)) == (teacher, other, other)


def test_the_default_is_what_the_pipeline_of_this_workspace_left(tmp_path, monkeypatch):
    (tmp_path / "dvc.yaml").touch()
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    assert stored.default_path() == tmp_path / "data" / "view-filter" / "model.keras"


@pytest.mark.parametrize(
    ("name", "beside"),
    [("net", "net.json"), ("net_v1.2", "net_v1.2.json"), ("net_v1.2", "net_v1.json"), ("a.keras", "a.keras.json")],
)
def test_a_model_may_have_any_name_with_its_description_beside_it(model, name, beside):
    moved = model.path.with_name(name)
    model.path.with_suffix(".json").rename(model.path.with_name(beside))
    model.path.rename(moved)
    assert stored.load(moved) == dataclasses.replace(model, path=moved)


def test_the_description_in_place_of_the_model_is_one_sentence(model):
    with pytest.raises(CxrbenchError, match=r"model\.json\.json, which says how to use model\.json, does not exist"):
        stored.load(model.path.with_suffix(".json"))


@pytest.mark.parametrize("name", ["model.keras", "model.json"])
def test_a_missing_file_is_named(model, name):
    (model.path.parent / name).unlink()
    with pytest.raises(CxrbenchError, match=rf"{name}, .* does not exist; run 'dvc repro view-filter'"):
        stored.load(model.path)


def test_another_models_weights_are_not_taken(model):
    model.path.write_bytes(b"other weights")
    with pytest.raises(CxrbenchError, match=r"model\.keras is not the file that model\.json describes: .* sha256"):
        stored.load(model.path)


@pytest.mark.parametrize(
    "change",
    [
        {"loss": "hinge"},
        {"loss": ["binary_crossentropy"]},
        {"image_size": 0},
        {"image_size": "64"},
        {"image_size": None},
        {"resize": "crop"},
        {"abstain": [0.9, 0.1]},
        {"abstain": [0.1]},
        {"abstain": ["a", "b"]},
        {"abstain": None},
        {"trained_on": "mimic"},
        {"trained_on": {"mimic": {}}},
        {"trained_on": {"mimic": {"train": {"frontal": "many"}}}},
        {"sha256": 3},
        {"format": 2},
    ],
)
def test_a_description_with_a_bad_value_is_refused(model, change):
    beside = Path(model.path).with_suffix(".json")
    beside.write_text(json.dumps({**json.loads(beside.read_text()), **change}))
    with pytest.raises(CxrbenchError, match=r"model\.json does not describe a view network \(.*\); run"):
        stored.load(model.path)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "3", '{"loss": "binary_crossentropy"}', "\0\udcff"])
def test_a_damaged_description_is_refused(model, text):
    Path(model.path).with_suffix(".json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(CxrbenchError, match=r"model\.json does not describe a view network \(.*\); run"):
        stored.load(model.path)
