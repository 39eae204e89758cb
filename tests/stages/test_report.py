import json
import re

import pandas as pd
import pytest

from cxrbench.errors import CxrbenchError
from cxrbench.manifest import read_table, write_table
from cxrbench.stages import evaluate, report

STUDIES = ("learning-rate", "loss-function", "batch-size", "protocol", "covid-cnn", "view-network")


@pytest.fixture
def reported(reported_workspace):
    return reported_workspace / "reports"


def test_the_report_is_one_file_that_asks_for_nothing_else(reported):
    page = (reported / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"<(script|link|img|iframe|object)\b|@import|url\((?!#)", page)
    assert all(target.startswith("#") for target in re.findall(r'(?:href|src)="([^"]*)"', page))
    assert len(page) < 1_000_000
    assert "not of patients" in page
    assert "nan" not in re.sub(r"<[^>]*>", " ", page).lower().split()


def test_every_study_has_a_section_a_markdown_table_and_its_flags(reported):
    page = (reported / "report.html").read_text(encoding="utf-8")
    assert all(f'<section id="{name}">' in page for name in STUDIES)
    assert {path.stem for path in (reported / "tables").iterdir()} == set(STUDIES)
    assert "1 of 3 diverged" in (reported / "tables/loss-function.md").read_text(encoding="utf-8")
    assert "3 of 3 call one class only" in (reported / "tables/learning-rate.md").read_text(encoding="utf-8")


def test_every_claim_gets_one_verdict_and_metrics_json_counts_them(reported):
    tree = json.loads((reported / "metrics.json").read_text(encoding="utf-8"))
    assert sum(tree["claims"].values()) == 16
    assert set(tree) == {"claims", *STUDIES}
    assert tree["batch-size"]["batch_size=32"]["test"]["accuracy"]["n"] == 3


def test_the_plots_hold_every_run_as_tidy_rows(reported):
    grid = read_table(reported.parent / "data/train-grid/grid.csv", "grid")
    for name in ("learning-curves", "roc", "accuracy"):
        points = pd.read_csv(reported / "plots" / f"{name}.csv")
        cells = points[["study", "setting", "seed"]].drop_duplicates()
        diverged = 1 if name == "roc" else 0  # a run without finite scores has no ROC curve
        assert len(cells) == len(grid) - diverged


def test_the_same_runs_give_the_same_bytes(reported, monkeypatch):
    monkeypatch.chdir(reported.parent)
    before = {path: path.read_bytes() for path in reported.rglob("*") if path.is_file()}
    report.main()
    assert {path: path.read_bytes() for path in reported.rglob("*") if path.is_file()} == before


def test_a_run_that_metrics_lack_is_an_error_that_names_it(simulated_workspace):
    evaluate.main()
    table = read_table("data/evaluate/metrics.csv", "metrics")
    gone = (table["setting"] == "lr=0.01") & (table["seed"] == 2)
    write_table("data/evaluate/metrics.csv", table[~gone], "metrics")
    with pytest.raises(CxrbenchError, match=r"setting lr=0\.01, seed 2"):
        report.main()
