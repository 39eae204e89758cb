import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.tables import read_table, write_table
from cxrbench.stages import evaluate, report

STUDIES = ("learning-rate", "loss-function", "batch-size", "protocol", "covid-cnn", "view-network")


@pytest.fixture
def reported(reported_workspace):
    return reported_workspace / "reports"


def test_the_report_is_one_file_that_asks_for_nothing_else(reported):
    page = (reported / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"<(script|link|iframe|object)\b|@import|url\((?!#)", page)
    assert all(target.startswith("#") for target in re.findall(r'href="([^"]*)"', page))
    assert all(target.startswith("data:image/jpeg;base64,") for target in re.findall(r'src="([^"]*)"', page))
    assert len(page) < 1_000_000
    assert "not of patients" in page
    assert "nan" not in re.sub(r"<[^>]*>", " ", page).lower().split()


def test_every_study_has_a_section_a_markdown_table_and_its_flags(reported):
    page = (reported / "report.html").read_text(encoding="utf-8")
    assert all(f'<section id="{name}">' in page for name in STUDIES)
    assert {path.stem for path in (reported / "tables").iterdir()} == {*STUDIES, "what-the-protocol-changes"}
    assert "1 of 3 diverged" in (reported / "tables/loss-function.md").read_text(encoding="utf-8")
    assert "3 of 3 call one class only" in (reported / "tables/learning-rate.md").read_text(encoding="utf-8")


def test_every_claim_gets_one_verdict_and_metrics_json_counts_them(reported):
    tree = json.loads((reported / "metrics.json").read_text(encoding="utf-8"))
    assert sum(tree["claims"].values()) == 16
    assert set(tree) == {"claims", "protocol_changes", *STUDIES}
    assert set(tree["protocol_changes"]) == {"protocol"}
    assert tree["batch-size"]["batch_size=32"]["test"]["accuracy"]["n"] == 3


def test_the_review_list_is_shown_hardest_first_and_the_rest_is_counted(reported):
    page = (reported / "report.html").read_text(encoding="utf-8")
    assert page.count("<img") == 47  # of 48 cards, one is no image
    assert "can&#39;t be shown: not an image" in page
    assert "And 12 more that are not shown." in page


def test_the_report_shows_leaks_duplicates_and_strong_shortcuts(reported):
    page = (reported / "report.html").read_text(encoding="utf-8")
    for shown in ("1,250 / 1,800", "31 / 44", "2 / 2", "train-normal-0 = train-normal-1"):
        assert f">{shown}<" in page
    assert page.count('class="number marked">0.920<') == page.count('class="number marked">0.240<') == 3


def test_a_report_over_a_restricted_cohort_holds_no_pixel_of_it(reported_workspace, tmp_path, monkeypatch):
    monkeypatch.chdir(shutil.copytree(reported_workspace, tmp_path / "restricted"))
    tree = yaml.safe_load(Path("params.yaml").read_text())
    tree["cohorts"]["pneumonia"]["restricted"] = True
    Path("params.yaml").write_text(yaml.safe_dump(tree))
    shutil.rmtree("images")  # what is not there can not be opened
    report.main()
    page = Path("reports/report.html").read_text(encoding="utf-8")
    assert not re.search(r"<img|data:image|base64", page)
    assert page.count("withheld: restricted") == 48
    assert "can&#39;t be shown" not in page
    assert "cohorts.pneumonia.restricted: false" in page
    assert "image-03" in page


def test_a_setting_that_the_source_has_no_split_for_is_said_to_be_left_out(reported_workspace, tmp_path, monkeypatch):
    monkeypatch.chdir(shutil.copytree(reported_workspace, tmp_path / "own split"))
    assignment = read_table("data/split/assignment.csv", "assignment")
    assignment.loc[assignment["cohort"] == "pneumonia", "official"] = ""
    write_table("data/split/assignment.csv", assignment, "assignment")
    for path, name in (("data/train-grid/grid.csv", "grid"), ("data/evaluate/metrics.csv", "metrics")):
        table = read_table(path, name)
        write_table(path, table[table["setting"] != "protocol=official"], name)
    report.main()
    page = Path("reports/report.html").read_text(encoding="utf-8")
    assert "Left out: protocol=official, for the source of cohort pneumonia has no split of its own" in page
    assert "protocol=official" not in Path("reports/tables/protocol.md").read_text(encoding="utf-8")


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
