"""view-filter keeps what is frontal and hands on the best network, whatever trained it."""

import json
import math
from pathlib import Path

import pandas as pd
import pytest
import yaml

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.tables import TABLES, read_table, write_table
from cxrbench.images.decode import Undecodable
from cxrbench.runs import plan
from cxrbench.stages import view_filter
from cxrbench.views import keep_frontal, stored
from cxrbench.views.stream import Scored
from tests.stages import fake_runs

ROOT = Path(__file__).parents[2]
ALL = "model of run0, model of run1, model of run2"
QUOTAS = {"train": {"frontal": 10, "lateral": 10}, "validation": {"frontal": 5, "lateral": 5}}
SCORE = {"pneumonia/i60": 0.97, "pneumonia/i61": 0.5, "pneumonia/i62": 0.02, "covid/i00": 0.99, "covid/i01": 0.01}

RESIZE = {"pneumonia": "squash", "covid": "trim"}  # the teacher as it taught, the other without its margins


def cohort(name, views):
    frame = pd.DataFrame(dict.fromkeys(TABLES["manifest"], ""), index=range(len(views)))
    ids = [f"i{k:02}" for k in range(len(views))]
    paths = [f"{name}/{one}" for one in ids]
    frame = frame.assign(cohort=name, image_id=ids, sha256=paths, path=paths, patient_id=ids)
    return frame.assign(view=views, width=9, height=9, bytes=9)


def manifest(open_views=3):
    """Two cohorts that share image ids; the network learns from the first alone."""
    children = cohort("pneumonia", ["frontal"] * 30 + ["lateral"] * 30 + [""] * open_views)
    return pd.concat([children, cohort("covid", ["frontal", "frontal"] if open_views else [])])


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CXRBENCH_STORE", str(tmp_path / "store"))
    tree = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    tree["views"]["quotas"] = {"pneumonia": QUOTAS}
    tree["views"]["setting"] |= {"protocol": "paper", "resize": "squash"}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(tree))
    write_table("data/download/manifest.csv", manifest(), "manifest")

    def train_nothing(cells, assignment, store, cache, workers):
        names = [f"run{cell.seed}" for cell in cells]
        for name, cell in zip(names, cells):
            fake_runs.write(store, name, cell, assignment, accuracy=1 - cell.seed / 8)
        return names

    def score_files(files, model, workers):
        assert all(file.path == file.sha256 for file in files)
        assert {file.path.partition("/")[0]: file.resize for file in files} == RESIZE
        assert model.path.read_text() == ALL
        return (Scored(file.path, SCORE[file.path]) for file in files)

    def average(trained, target):
        target.write_text(", ".join(path.read_text() for path in trained))

    monkeypatch.setattr(keep_frontal.average, "write", average)
    monkeypatch.setattr(plan, "train_missing", train_nothing)
    monkeypatch.setattr(keep_frontal.stream, "score_files", score_files)
    return tmp_path


def test_the_filter_keeps_what_is_frontal_by_metadata_or_network(workspace):
    view_filter.main()
    out = workspace / "data" / "view-filter"
    frontal = read_table(out / "manifest.csv", "frontal")
    assert len(frontal) == 33
    assert frontal["view_by"].value_counts().to_dict() == {"metadata": 32, "network": 1}
    review = read_table(out / "review.csv", "review").set_index("path")["reason"].to_dict()
    assert review["pneumonia/i61"] == "the network abstains"
    assert review["covid/i01"] == "the network disagrees with the metadata"
    assert "pneumonia/i62" not in review
    assert "covid/i00" not in review


def test_an_image_that_was_tested_has_its_runs_score_and_one_that_was_trained_on_has_none(workspace):
    view_filter.main()
    out = workspace / "data" / "view-filter"
    seeds = [read_table(workspace / "store" / f"run{seed}" / "scores.csv", "scores") for seed in range(3)]
    scored = pd.concat(seeds).groupby("image_id")["score"].mean()
    frontal = read_table(out / "manifest.csv", "frontal")
    seen = frontal[(frontal["cohort"] == "pneumonia") & (frontal["view_by"] == "metadata")]
    assert seen["view_score"].isna().sum() == QUOTAS["train"]["frontal"]
    for row in seen.dropna(subset="view_score").itertuples():
        assert row.view_score == pytest.approx(scored[row.image_id])


def test_the_metrics_count_each_seeds_errors_on_test_by_view(workspace):
    view_filter.main()
    metrics = json.loads((workspace / "data" / "view-filter" / "metrics.json").read_text())
    errors = metrics.pop("errors")
    assert list(errors) == ["seed_0", "seed_1", "seed_2", "mean"]
    assert set(errors.pop("mean")) == set(errors["seed_0"])
    assert set(errors["seed_0"].values()) == {15, 0}
    for seed, found in errors.items():
        scores = read_table(workspace / "store" / f"run{seed[-1]}" / "scores.csv", "scores")
        wrong = scores[(scores["part"] == "test") & ((scores["score"] > 0.5) != (scores["target"] == 1))]
        assert found["frontal_called_lateral"] + found["lateral_called_frontal"] == len(wrong)
    assert metrics.pop("test_accuracy") == pytest.approx(1 - sum(map(sum_of_errors, errors.values())) / 90, abs=1e-6)
    assert metrics.pop("validation_accuracy") <= 1
    review = read_table(workspace / "data" / "view-filter" / "review.csv", "review")
    assert metrics.pop("disagreements") == (review["reason"] == "the network disagrees with the metadata").sum() > 0
    assert metrics == {
        "images": 65, "frontal": 33, "frontal_by_network": 1, "lateral": 31, "abstained": 1, "test_images": 30
    }  # fmt: skip


def sum_of_errors(found):
    return found["frontal_called_lateral"] + found["lateral_called_frontal"]


def test_the_network_handed_on_is_the_mean_of_the_seeds_and_says_how_to_use_it(workspace):
    view_filter.main()
    model = stored.load(workspace / "data" / "view-filter" / "model.keras")
    assert model.path.read_text() == ALL
    assert (model.resize, model.image_size, model.abstain) == ("squash", 64, (0.1, 0.9))
    assert model.run == "run0 + run1 + run2"
    assert model.trained_on == {"pneumonia": QUOTAS}


@pytest.mark.parametrize(
    ("status", "kept"),
    [({1: "diverged"}, [0, 2]), ({0: "degenerate"}, [1, 2]), ({0: "diverged", 1: "degenerate"}, [2])],
)
def test_a_network_that_does_not_tell_views_apart_is_not_in_the_mean(status, kept):
    right = pd.DataFrame({"target": [0, 1, 0, 1], "score": [0.1, 0.9, 0.2, 0.8], "part": "validation"})
    spoilt = {"diverged": math.nan, "degenerate": 0.9}
    scored = {seed: right.assign(score=spoilt[status[seed]]) if seed in status else right for seed in range(3)}
    assert keep_frontal.usable_seeds(scored) == kept
    collapsed = {seed: right.assign(score=0.9) for seed in range(2)}
    assert keep_frontal.usable_seeds(collapsed) == [0, 1]  # better than none


def test_a_seed_that_diverged_is_neither_in_the_mean_nor_in_the_accuracies(workspace, monkeypatch):
    monkeypatch.setitem(globals(), "ALL", "model of run0, model of run2")
    train = plan.train_missing

    def diverge(*arguments):
        names = train(*arguments)
        path = workspace / "store" / "run1" / "scores.csv"
        write_table(path, read_table(path, "scores").assign(score=math.nan), "scores")
        return names

    monkeypatch.setattr(plan, "train_missing", diverge)
    view_filter.main()
    metrics = json.loads((workspace / "data" / "view-filter" / "metrics.json").read_text())
    assert 0 < metrics["validation_accuracy"] <= 1
    assert metrics["errors"]["seed_1"]["frontal_abstained"] == metrics["errors"]["seed_1"]["frontal"]
    assert metrics["errors"]["mean"]["frontal_abstained"] < metrics["errors"]["mean"]["frontal"]


def test_where_all_views_are_known_the_network_is_not_asked(workspace, monkeypatch):
    write_table("data/download/manifest.csv", manifest(open_views=0), "manifest")
    monkeypatch.setattr(keep_frontal.stream, "score_files", None)
    view_filter.main()
    assert len(read_table("data/view-filter/manifest.csv", "frontal")) == 30


def test_a_file_that_has_gone_since_the_download_stops_the_stage_with_its_name(workspace, monkeypatch):
    def score_files(files, *_):
        return (Scored(file.path, math.nan, Undecodable(file.path, "missing", "no such file")) for file in files)

    monkeypatch.setattr(keep_frontal.stream, "score_files", score_files)
    with pytest.raises(CxrbenchError, match="pneumonia/i60 cannot be used: missing"):
        view_filter.main()
    assert not Path("data/view-filter/manifest.csv").exists()


def test_where_every_seed_diverged_there_is_no_network_to_tell_views_with(workspace, monkeypatch):
    monkeypatch.setattr(keep_frontal, "evaluate", lambda target, score: ("diverged", {"accuracy": math.nan}))
    with pytest.raises(CxrbenchError, match=r"diverged with every one of 3 seeds, .* lower views\.setting\.lr"):
        view_filter.main()
