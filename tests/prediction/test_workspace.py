"""The network of a study comes from what the pipeline left; the command says of images what its mean says."""

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from cxrbench import cli
from cxrbench.base.errors import CxrbenchError
from cxrbench.base.tables import TABLES, read_table, write_table
from cxrbench.commands.predict import advice
from cxrbench.config.setting import Setting
from cxrbench.evaluation.runs import metric_table, read_grid
from cxrbench.evaluation.study_settings import StudySetting, write_settings
from cxrbench.prediction.workspace import model_of
from tests.prediction.networks import SIZE, save_brightness, save_view

SCORES = {  # setting -> seed -> the scores of the validation images, of which the second half are covid
    "lr=0.1": {0: [0.1, 0.9, 0.4, 0.6], 1: [0.1, 0.9, 0.4, 0.6]},
    "lr=0.001": {0: [0.1, 0.5, 0.7, 0.8], 1: [0.3, 0.3, 0.9, 1.0]},
}


def make(folder, redraw=False, cohort="covid"):
    """A workspace of one study of two settings and two seeds, without networks."""
    (folder / "dvc.yaml").touch()
    data = folder / "data"
    images = pd.DataFrame(dict.fromkeys(TABLES["assignment"], ""), index=range(4)).assign(
        cohort=cohort, source="a", image_id=list("abcd"), target=[0, 0, 1, 1], paper="validation",
        label=["normal", "normal", "covid", "covid"],
    )  # fmt: skip
    write_table(data / "split/assignment.csv", images, "assignment")
    grid, settings = [], {}
    for label, seeds in SCORES.items():
        setting = Setting(cohort=cohort, lr=float(label[3:]), image_size=SIZE, redraw=redraw)
        settings[label] = StudySetting(setting.model_dump())
        for seed, scores in seeds.items():
            run = f"{label[3:]}-{seed}"
            grid.append(("rate", label, seed, run))
            table = images[["source", "image_id", "patient_id", "target"]].assign(part="validation", score=scores)
            write_table(data / "train-grid" / run / "scores.csv", table[list(TABLES["scores"])], "scores")
            times = dict.fromkeys(("first_epoch_seconds", "epoch_seconds", "train_seconds"), 1.0)
            record = {"run": run, "setting": setting.model_dump(), "seed": seed, "status": "ok", **times}
            record["data"] = {"sha256": "a", "validation": 4}
            (data / "train-grid" / run / "run.json").write_text(json.dumps(record))
            (folder / ".cxrbench/runs" / run).mkdir(parents=True)
            (folder / ".cxrbench/runs" / run / "model.keras").touch()
    write_settings(data / "train-grid/settings.json", {"rate": settings})
    table = pd.DataFrame(grid, columns=list(TABLES["grid"]))
    metrics = metric_table(table, read_grid(table, data / "train-grid"))
    write_table(data / "evaluate/metrics.csv", metrics, "metrics")


def found(folder, study="rate", check_view=False):
    return model_of(study, folder / "data", folder / ".cxrbench/runs", check_view)


def test_the_mean_of_the_winners_seeds_is_used_as_it_was_judged_on_validation(tmp_path):
    make(tmp_path)
    model = found(tmp_path)
    assert model.name == "study rate, lr=0.001, the mean of the networks of seeds 0, 1"
    assert [file.parent.name for file in model.network.files] == ["0.001-0", "0.001-1"]
    assert model.usage.threshold == pytest.approx(0.8)  # the lowest mean score of covid
    assert (model.usage.negative, model.usage.positive, model.usage.image_size) == ("normal", "covid", SIZE)
    assert model.view is None


def test_what_is_missing_is_one_sentence(tmp_path):
    make(tmp_path)
    with pytest.raises(CxrbenchError, match="there is no study 'loss'; the last dvc repro ran rate"):
        found(tmp_path, "loss")
    with pytest.raises(CxrbenchError, match=r"model\.keras, the view network, does not exist"):
        found(tmp_path, check_view=True)
    (tmp_path / ".cxrbench/runs/0.001-1/model.keras").unlink()
    with pytest.raises(CxrbenchError, match=r"0\.001-1/model\.keras, a network of study rate, does not exist; run"):
        found(tmp_path)
    (tmp_path / "data/evaluate/metrics.csv").unlink()
    with pytest.raises(CxrbenchError, match=r"metrics\.csv does not exist; run 'dvc repro'"):
        found(tmp_path)


def test_seeds_with_a_split_each_have_no_mean_that_was_validated(tmp_path):
    make(tmp_path, redraw=True)
    with pytest.raises(CxrbenchError, match=r"won by lr=0\.001, whose seeds have a split each"):
        found(tmp_path)


def test_a_study_on_views_is_not_checked_for_its_view(tmp_path):
    make(tmp_path, cohort="views")
    assert found(tmp_path, check_view=True).view is None


@pytest.fixture
def images(tmp_path):
    """Images about as bright as their names say."""
    folder = tmp_path / "images"
    folder.mkdir()
    for grey in (10, 90, 140, 250):
        noise = np.random.default_rng(0).integers(0, 5, (60, 50)) + grey
        Image.fromarray(noise.astype(np.uint8)).save(folder / f"{grey:03}.png")
    (folder / "notes.txt").write_text("dear colleague")
    return folder


@pytest.mark.slow
def test_the_command_says_of_images_what_the_mean_of_the_networks_says(tmp_path, images, monkeypatch, capsys):
    make(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CXRBENCH_STORE", raising=False)
    (tmp_path / "data/view-filter").mkdir()
    save_view(tmp_path / "data/view-filter")
    for seed, gain in ((0, 0.8), (1, 1.2)):  # whose mean is the mean grey
        save_brightness(tmp_path / f".cxrbench/runs/0.001-{seed}/model.keras", SIZE, gain)
    assert cli.main(["predict", str(images), "--study", "rate", "--out", "p.csv", "--workers", "1"]) == 0
    table = read_table("p.csv", "predictions")
    assert list(table["label"]) == ["", "normal", "normal", "covid", ""]
    assert np.allclose(table["probability"][1:4], [(grey + 2) / 255 for grey in (90, 140, 250)], atol=0.005)
    assert list(table["reason"].str.partition(":")[0]) == ["not a frontal chest X-ray", "", "", "", "not an image"]
    said = capsys.readouterr()
    assert said.out.startswith("1 covid, 2 normal, 0 without a label, 1 not frontal, 1 that cannot be used; ")
    assert said.err.startswith("not a medical device: ")


def test_where_most_images_are_not_called_frontal_a_way_out_is_named():
    assert advice(1, 2) == ""
    assert "--no-view-check" in advice(2, 3)


def test_a_mistake_is_one_sentence_and_leaves_nothing(tmp_path, images, monkeypatch, capsys):
    make(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CXRBENCH_STORE", raising=False)
    before = sorted(tmp_path.iterdir())
    options = ["--study", "rate", "--no-view-check"]
    for argv, told in (
        ([str(images), "--study", "other"], "error: there is no study 'other'"),
        (["nowhere", *options], "error: nowhere does not exist"),
        ([str(images), *options, "--out", "p.txt"], "must end in .csv or .json"),
        ([str(images), "--study", "rate"], "the view network, does not exist"),
    ):
        assert cli.main(["predict", *argv]) == 1
        assert told in capsys.readouterr().err
    assert sorted(tmp_path.iterdir()) == before
