import json
import runpy
import shutil

import pytest
import yaml

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.tables import read_table, write_table
from cxrbench.stages import evaluate

RUN = "data/train-grid/reference-1/scores.csv"


def verdict(workspace):
    return json.loads((workspace / "data/evaluate/verdict.json").read_text())


def test_evaluate_writes_a_row_for_each_cell_and_part_and_the_same_bytes_again(simulated_workspace):
    folder = simulated_workspace / "data/evaluate"
    texts = []
    for _ in range(2):
        evaluate.main()
        texts.append({path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()})
    assert texts[0] == texts[1]
    assert set(texts[0]) == {"metrics.csv", "attention.csv", "verdict.json", "index.html", "scores.html", "runs.html"}
    table = read_table(folder / "metrics.csv", "metrics")
    grid = read_table("data/train-grid/grid.csv", "grid")
    views = (grid["study"] == "view-network").sum()
    assert len(table) == 2 * len(grid) - views
    assert set(table["status"]) == {"ok", "degenerate", "diverged"}


def test_evaluate_names_a_run_whose_folder_is_gone(simulated_workspace):
    shutil.rmtree(simulated_workspace / "data/train-grid/reference-1")
    with pytest.raises(CxrbenchError, match="run reference-1 has no"):
        evaluate.main()


def test_a_run_that_diverged_and_one_of_a_single_score_are_warnings_that_name_them(simulated_workspace, capsys):
    evaluate.main()
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == [
        "warning: 'no run diverged' fails on table runs: 1 of 54 rows",
        "    loss-function, loss=binary_focal_crossentropy, seed 1 [status 'diverged']",
        "warning: 'no run gives all images one score' fails on table runs: 3 of 53 rows",
    ]
    assert lines[3].startswith("    learning-rate, lr=0.1, seed 0")
    assert (verdict(simulated_workspace)["passed"], verdict(simulated_workspace)["warnings"]) == (True, 2)


def test_a_run_that_lost_images_stops_the_stage_before_any_metric_and_names_them(simulated_workspace, capsys):
    scores = read_table(RUN, "scores")
    write_table(RUN, scores.drop(index=[3, 5]), "scores")
    lost = scores.loc[[3, 5], "image_id"].tolist()
    with pytest.raises(SystemExit) as stop:
        runpy.run_path(evaluate.__file__, run_name="__main__")
    assert stop.value.code == 1
    printed = capsys.readouterr()
    words = "'every run scores every image of its validation and test' fails on table scores: 2 of"
    assert printed.out.startswith(f"critical: {words}")
    for image_id in lost:
        assert f"    learning-rate, lr=0.001, seed 1: {image_id} [found 'missing']" in printed.out.splitlines()
    assert printed.err.startswith(f"error: the check {words}")
    assert not verdict(simulated_workspace)["passed"]
    assert "missing" in (simulated_workspace / "data/evaluate/docs/scores.html").read_text()
    assert not (simulated_workspace / "data/evaluate/metrics.csv").exists()


def test_no_network_is_asked_about_a_cohort_that_params_restrict(simulated_workspace, monkeypatch, capsys):
    monkeypatch.delenv("CXRBENCH_STORE", raising=False)
    params = simulated_workspace / "params.yaml"
    tree = yaml.safe_load(params.read_text())
    for cohort in tree["cohorts"].values():
        cohort["restricted"] = True
    tree["kept"] = "here/../"
    params.write_text(yaml.safe_dump(tree))
    for run in (simulated_workspace / "data/train-grid").glob("*/"):
        network = simulated_workspace / ".cxrbench/runs" / run.name / "model.keras"
        network.parent.mkdir(parents=True)
        network.write_bytes(b"never opened")
    evaluate.main()
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("no Grad-CAM")]
    assert [line.partition(": ")[2] for line in said] == [
        "their images are restricted",
        "their images are not all frontal",
    ]
    assert read_table("data/evaluate/attention.csv", "attention").empty
    assert not (simulated_workspace / "data/evaluate/attention").exists()
