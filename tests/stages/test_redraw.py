"""split.redraw from params.yaml to the page: each seed's runs on its own split, told apart from the fixed one."""

import shutil

import pandas as pd
import pytest
import yaml

from cxrbench import cli
from cxrbench.base.errors import CxrbenchError
from cxrbench.base.tables import TABLES, read_table, write_table
from cxrbench.reporting.results import read_results
from cxrbench.stages import evaluate, report
from tests.stages.conftest import REPO, make

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def redrawn_workspace(tmp_path_factory):
    """A report on two studies of redrawn splits, one with the fixed split beside it."""
    folder = tmp_path_factory.mktemp("redrawn")
    tree = yaml.safe_load((REPO / "params.yaml").read_text())
    tree["studies"] = {
        "batch-size": {**tree["studies"]["batch-size"], "redraw": True},
        "split": {"vary": {"redraw": [False, True]}},
    }
    tree["seeds"] = [0, 1, 2, 3]
    (folder / "params.yaml").write_text(yaml.safe_dump(tree, sort_keys=False))
    make(folder, share=0.2)
    leak = [2, "pneumonia", "paper", "train", "test", "patient, strict", 7, 9, "p1 p7"]
    leaks = pd.DataFrame([leak], columns=list(TABLES["redrawn_leaks"]))
    write_table(folder / "data/split/redrawn_leaks.csv", leaks, "redrawn_leaks")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        evaluate.main()
        report.main()
    return folder


def test_the_page_says_which_part_of_the_spread_is_the_splits(redrawn_workspace):
    page = (redrawn_workspace / "reports/report.html").read_text()
    table = (redrawn_workspace / "reports/tables/seeds-and-split.md").read_text()
    assert "Seeds and split" in page
    assert "Redrawn splits: where each seed has a split of its own" in page
    assert "| split | redraw=True | Accuracy, %" in table
    assert "can’t be told apart" in next(line for line in table.splitlines() if "batch_size=4" in line)
    # batch_size=32 is the base setting, which the study 'split' ran on the fixed split too.
    assert "apart" not in next(line for line in table.splitlines() if "batch_size=32" in line)
    assert "Leaks between parts of redrawn splits" in page


def test_each_seed_tests_other_images_and_every_claim_still_has_its_verdict(redrawn_workspace):
    results = read_results(redrawn_workspace / "data")
    runs = results.grid[(results.grid["study"] == "batch-size") & (results.grid["setting"] == "batch_size=8")]["run"]
    tests = [frozenset(t.loc[t["part"] == "test", "image_id"]) for t in (results.runs[run][1] for run in runs)]
    assert len(set(tests)) == len(tests) == 4
    claims = pd.read_csv(redrawn_workspace / "reports/tables/claims.csv")
    assert claims.loc[claims["study"] == "batch-size", "low"].notna().any()


def test_a_run_that_scored_another_seeds_split_stops_evaluate(redrawn_workspace, tmp_path, monkeypatch):
    folder = shutil.copytree(redrawn_workspace, tmp_path / "copy")
    monkeypatch.chdir(folder)
    table = read_table("data/split/redrawn.csv", "redrawn")
    write_table("data/split/redrawn.csv", table.assign(seed=(table["seed"] + 1) % 4), "redrawn")
    with pytest.raises(CxrbenchError, match="every run scores every image of its validation and test"):
        evaluate.main()


def test_a_pack_holds_the_splits_and_gives_the_same_page(redrawn_workspace, tmp_path, monkeypatch):
    monkeypatch.chdir(redrawn_workspace)
    packed = tmp_path / "set"
    assert cli.main(["pack", str(packed), "--made-by", "dvc exp run -S split.redraw=true"]) == 0
    assert read_table(packed / "redrawn.csv.gz", "redrawn").equals(read_table("data/split/redrawn.csv", "redrawn"))
    papers = str(REPO / "data/published")
    assert cli.main(["report", "--from", str(packed), "--to", str(tmp_path / "again"), "--papers", papers]) == 0
    assert (tmp_path / "again/report.html").read_bytes() == (packed / "report/report.html").read_bytes()


def test_two_sets_of_the_same_redrawn_splits_are_compared(redrawn_workspace, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(redrawn_workspace)
    assert cli.main(["compare", str(redrawn_workspace), str(redrawn_workspace)]) == 0
    assert "the same scores" in capsys.readouterr().out
