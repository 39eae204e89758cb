"""Bad input ends in one clear sentence or an honest 'can't be said', from a workspace and from a result set alike.

What evaluate finds in scores is in test_evaluate.py and checks/test_values.py, a changed byte of a result set in
test_pack.py; here files are damaged behind their backs: after evaluate, or with the checksums made anew.
"""

import gzip
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from cxrbench import cli
from cxrbench.base.errors import CxrbenchError
from cxrbench.base.files import sha256_of
from cxrbench.base.tables import empty, read_table, write_table
from cxrbench.evaluation.runs import metric_table, read_grid
from cxrbench.reporting import pack as packing
from cxrbench.reporting.results import read_results
from cxrbench.stages import report
from tests.stages.conftest import REPO, make

pytestmark = pytest.mark.slow

RUN = "learning-rate-lr-0.01-1"  # setting lr=0.01, seed 1


def small(folder, **changes):
    """A workspace of one study with its metrics, without the checks of evaluate; ``changes`` are of params.yaml."""
    tree = yaml.safe_load((REPO / "params.yaml").read_text())
    tree["studies"] = {"learning-rate": tree["studies"]["learning-rate"]}
    (folder / "params.yaml").write_text(yaml.safe_dump({**tree, **changes}, sort_keys=False))
    make(folder, share=0.05)
    remeasure(folder)
    return folder


def remeasure(folder):
    data = folder / "data"
    grid = read_table(data / "train-grid/grid.csv", "grid")
    metrics = metric_table(grid, read_grid(grid, data / "train-grid"))
    write_table(data / "evaluate/metrics.csv", metrics, "metrics")
    write_table(data / "evaluate/attention.csv", empty("attention"), "attention")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    return small(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def packed(workspace, tmp_path_factory):
    folder = tmp_path_factory.mktemp("packed") / "set"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(workspace)
        assert cli.main(["pack", str(folder)]) == 0
    return folder


def lose(table):
    return table.drop(index=table.index[5])


def repeat(table):
    return pd.concat([table, table.iloc[[5]]])


def blank(table):
    return table.assign(score=table["score"].where(np.arange(len(table)) != 5))


def relabel(table):
    return table.assign(target=np.where(np.arange(len(table)) == 5, 1 - table["target"], table["target"]))


DAMAGES = {  # what befalls the scores of one run -> what must be said of it
    lose: r"scored different images: 1 are in one run only, such as validation-normal-5 in validation",
    repeat: rf"run {RUN} scores 1 images more than once, such as validation-normal-5 of pneumonia",
    relabel: r"disagree on what images show, such as validation-normal-5 in validation",
}


@pytest.mark.parametrize("damage", [*DAMAGES, blank])
def test_scores_of_a_workspace_that_were_damaged_after_evaluate_are_an_error(damage, workspace, tmp_path):
    folder = shutil.copytree(workspace, tmp_path / "damaged")
    path = folder / f"data/train-grid/{RUN}/scores.csv"
    write_table(path, damage(read_table(path, "scores")), "scores")
    said = DAMAGES.get(damage, rf"metrics of run {RUN} \(\d+ images, ok\) do not come from .*, 1 without a score")
    with pytest.raises(CxrbenchError, match=said):
        read_results(folder / "data")


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_workspace_of_another_commit_is_refused_for_the_same_reasons(damage, workspace, packed, tmp_path, capsys):
    folder = shutil.copytree(workspace, tmp_path / "damaged")
    path = folder / f"data/train-grid/{RUN}/scores.csv"
    write_table(path, damage(read_table(path, "scores")), "scores")
    assert cli.main(["compare", str(folder), str(packed)]) == 1
    assert re.search(DAMAGES[damage], capsys.readouterr().err)


def test_runs_that_scored_the_same_images_in_another_order_are_compared(workspace, tmp_path):
    folder = shutil.copytree(workspace, tmp_path / "shuffled")
    path = folder / f"data/train-grid/{RUN}/scores.csv"
    write_table(path, read_table(path, "scores").sample(frac=1, random_state=0), "scores")
    assert len(read_results(folder / "data").runs) == len(read_results(workspace / "data").runs)


def test_a_run_without_its_folder_is_an_error_that_names_it(workspace, tmp_path):
    folder = shutil.copytree(workspace, tmp_path / "damaged")
    shutil.rmtree(folder / "data/train-grid" / RUN)
    with pytest.raises(CxrbenchError, match=f"run {RUN} has no"):
        read_results(folder / "data")


def test_metrics_of_a_run_that_is_not_in_the_grid_are_an_error(workspace, tmp_path):
    folder = shutil.copytree(workspace, tmp_path / "damaged")
    grid = read_table(folder / "data/train-grid/grid.csv", "grid")
    write_table(folder / "data/train-grid/grid.csv", grid[grid["run"] != RUN], "grid")
    with pytest.raises(CxrbenchError, match=f"the metrics hold run {RUN}, which the grid does not"):
        read_results(folder / "data")


def read_scores(folder):
    return pd.read_csv(folder / "scores-0.csv.gz", dtype="str", keep_default_na=False)


def write_scores(folder, table, number=0):
    (folder / f"scores-{number}.csv.gz").write_bytes(gzip.compress(table.to_csv(index=False).encode()))


def sign(folder):
    """Makes the checksums anew, as whoever writes such a folder could."""
    told = json.loads((folder / "pack.json").read_text())
    names = {path.name for path in folder.iterdir() if path.is_file()} - {"pack.json"}
    told = {**told, "sha256": {name: sha256_of(folder / name) for name in sorted(names)}}
    del told["own"]
    (folder / "pack.json").write_text(json.dumps({**told, "own": packing._own_sum(told)}))


def lose_in_set(folder):
    table = read_scores(folder)
    write_scores(folder, table[[*packing.IMAGE, RUN]].drop(index=5), 1)
    write_scores(folder, table.drop(columns=RUN))


def repeat_in_set(folder):
    write_scores(folder, pd.concat([read_scores(folder), read_scores(folder).iloc[[5]]]))


def lose_the_scores(folder):
    write_scores(folder, read_scores(folder).drop(columns=RUN))


def lose_the_record(folder):
    records = json.loads((folder / "records.json").read_text())
    del records[RUN]
    (folder / "records.json").write_text(json.dumps(records))


def lose_the_history(folder):
    table = pd.read_csv(folder / "histories.csv.gz")
    (folder / "histories.csv.gz").write_bytes(gzip.compress(table[table["run"] != RUN].to_csv(index=False).encode()))


def lose_a_cell(folder):
    grid = read_table(folder / "grid.csv", "grid")
    write_table(folder / "grid.csv", grid[grid["run"] != RUN], "grid")


SETS = {
    lose_in_set: r"scored different images: 1 are in one run only, such as validation-normal-5 in validation",
    repeat_in_set: r"scores 1 images more than once, such as validation-normal-5 of pneumonia",
    lose_the_scores: rf"holds no scores of run {RUN}",
    lose_the_record: rf"run {RUN} is missing, which the grid names for study learning-rate, setting lr=0\.01, seed 1",
    lose_the_history: rf"holds no epoch of run {RUN}",
    lose_a_cell: r"study learning-rate has no validation metrics of setting lr=0\.01, seed 1 \(2 of 3 runs are there\)",
}


@pytest.mark.parametrize("damage", SETS)
def test_a_damaged_result_set_with_right_checksums_is_an_error(damage, packed, tmp_path, capsys):
    folder = shutil.copytree(packed, tmp_path / "set")
    damage(folder)
    sign(folder)
    papers = ["--papers", str(REPO / "data/published")]
    assert cli.main(["report", "--from", str(folder), "--to", str(tmp_path / "out"), *papers]) == 1
    assert re.search(SETS[damage], capsys.readouterr().err)
    assert not (tmp_path / "out").exists()


def test_a_score_that_is_no_number_in_a_result_set_is_a_diverged_run_and_no_mean_hides_it(packed, tmp_path):
    folder = shutil.copytree(packed, tmp_path / "set")
    table = read_scores(folder)
    table.loc[table.index[table["part"] == "test"][3], RUN] = "nan"
    write_scores(folder, table)
    sign(folder)
    papers = ["--papers", str(REPO / "data/published")]
    assert cli.main(["report", "--from", str(folder), "--to", str(tmp_path / "out"), *papers]) == 0
    claims = pd.read_csv(tmp_path / "out/tables/claims.csv")
    assert claims["reason"].str.contains("1 of 3 runs of lr=0.01 diverged").any()
    means = pd.read_csv(tmp_path / "out/tables/means.csv")
    chosen = means[(means["setting"] == "lr=0.01") & (means["part"] == "test") & (means["metric"] == "accuracy")]
    assert chosen["mean"].isna().all()
    assert "It can&#39;t be said of lr=0.01." in page_of(tmp_path / "out")


def page_of(reports):
    page = (reports / "report.html").read_text(encoding="utf-8")
    assert "nan" not in re.findall(r"\w+", re.sub(r"<[^>]*>", " ", page).lower())
    return page


def test_one_seed_shows_every_run_and_decides_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(small(tmp_path, seeds=[0]))
    report.main()
    claims = pd.read_csv("reports/tables/claims.csv")
    asked = claims[(claims["study"] == "learning-rate") & (claims["verdict"] != "not tested")]
    assert set(asked["verdict"]) == {"undecided"}
    assert asked["reason"].str.contains("1 run, which shows no spread over seeds").all()
    page = page_of(Path("reports"))
    assert "Which settings may be the best on test can&#39;t be said: fewer than two have numbers." in page
    assert pd.read_csv("reports/tables/best-group.csv")["may_be_best"].isna().all()


def test_a_study_of_one_setting_has_its_means_and_claims_that_were_not_tested(tmp_path, monkeypatch):
    tree = yaml.safe_load((REPO / "params.yaml").read_text())["studies"]["learning-rate"]
    monkeypatch.chdir(small(tmp_path, studies={"learning-rate": {**tree, "vary": {"lr": [0.001]}}}))
    report.main()
    claims = pd.read_csv("reports/tables/claims.csv")
    assert set(claims.loc[claims["study"] == "learning-rate", "verdict"]) == {"not tested"}
    page = page_of(Path("reports"))
    assert "The one setting reaches a validation accuracy of" in page
    assert "P(winner beats it)" not in page
    assert (pd.read_csv("reports/tables/means.csv")["n"] == 3).all()


def test_one_class_only_in_test_leaves_auc_and_specificity_open_and_accuracy_stands(tmp_path, monkeypatch):
    small(tmp_path)
    for path in (tmp_path / "data/train-grid").glob("*/scores.csv"):
        table = read_table(path, "scores")
        write_table(path, table[(table["part"] != "test") | (table["target"] == 1)], "scores")
    remeasure(tmp_path)
    monkeypatch.chdir(tmp_path)
    report.main()
    means = pd.read_csv("reports/tables/means.csv")
    of_test = means[means["part"] == "test"].groupby("metric")["mean"]
    said = {metric for metric, values in of_test if values.notna().all()}
    assert {"accuracy", "recall", "loss"} <= said
    assert not {"auc", "specificity"} & said
    page_of(Path("reports"))
    claims = pd.read_csv("reports/tables/claims.csv")
    asked = claims[(claims["study"] == "learning-rate") & (claims["part"] == "test") & (claims["metric"] == "auc")]
    assert set(asked["verdict"]) <= {"undecided"}
