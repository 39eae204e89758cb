import base64
import dataclasses
import hashlib
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.tables import read_table, write_table
from cxrbench.evaluation.study_settings import read_settings, write_settings
from cxrbench.stages import evaluate, report
from tests.stages.conftest import REPO, make

NO_SPLIT = "the source of the cohort has no split of its own"
STUDIES = ("learning-rate", "loss-function", "batch-size", "protocol", "black-lungs", "covid-cnn", "view-network")


@pytest.fixture
def reported(reported_workspace):
    return reported_workspace / "reports"


def test_the_report_is_one_file_that_asks_for_nothing_else(reported):
    page = (reported / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"<(link|iframe|object)\b|@import|url\((?!#)", page)
    (script,) = re.findall(r"<script>(.*?)</script>", page, flags=re.S)
    assert page.count("<script") == 1
    sha256 = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{sha256}'" in page
    assert all(target.startswith("#") for target in re.findall(r'href="([^"]*)"', page))
    assert all(target.startswith("data:image/jpeg;base64,") for target in re.findall(r'src="([^"]*)"', page))
    assert len(page) < 1_000_000
    assert "not of patients" in page
    assert "nan" not in re.findall(r"\w+", re.sub(r"<[^>]*>", " ", page).lower())


def test_every_study_has_a_section_a_markdown_table_and_its_flags(reported):
    page = (reported / "report.html").read_text(encoding="utf-8")
    assert all(f'<section id="study-{name}">' in page for name in STUDIES)
    tables = [*(f"{name}.md" for name in STUDIES), "what-the-protocol-changes.md", "claims.csv", "winners.csv"]
    assert {path.name for path in (reported / "tables").iterdir()} == {
        *tables,
        "means.csv",
        "protocol-changes.csv",
        "best-group.csv",
        "against-itself.csv",
    }
    assert "1 of 3 diverged" in (reported / "tables/loss-function.md").read_text(encoding="utf-8")
    assert "3 of 3 call one class only" in (reported / "tables/learning-rate.md").read_text(encoding="utf-8")


def test_every_claim_gets_one_verdict_and_metrics_json_is_a_dozen_flat_numbers(reported):
    figures = json.loads((reported / "metrics.json").read_text(encoding="utf-8"))
    claims = {word: figures.pop(word) for word in ("supported", "contradicted", "undecided", "untested")}
    assert sum(claims.values()) == 17
    assert set(figures) == {f"{name}.test" for name in STUDIES[:-1]} | {"view-network.validation"}
    assert all(isinstance(value, float) for value in figures.values())
    table = pd.read_csv(reported / "tables/claims.csv")
    assert table["verdict"].replace("not tested", "untested").value_counts().to_dict() == {
        word: count for word, count in claims.items() if count
    }


def test_a_studys_details_show_the_papers_other_figures_and_the_claims_that_no_study_tests(reported):
    page = (reported / "report.html").read_text(encoding="utf-8")
    section = page[page.index('<section id="study-view-network">') :]
    section = section[: section.index("</section>")]
    assert "<li>conv2d_4 (Conv2D): output, parameters: (4, 4, 128), 73 856 (Table)</li>" in section
    assert "<li>No overfitting occurs. <em>Why not:</em>" in section


def test_a_later_paper_is_in_the_report_where_its_study_is_in_the_grid_and_only_there(reported, tmp_path, monkeypatch):
    later = {"inception-v3", "optimizer", "batch-size-resnet50"}
    assert not later & set(pd.read_csv(reported / "tables/claims.csv")["study"])
    with initialize_config_dir(str(REPO / "conf"), version_base=None):
        tree = OmegaConf.to_container(compose("config", overrides=["grid=later"]), resolve=True)
    tree["studies"] = {name: study for name, study in tree["studies"].items() if name in later}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(tree, sort_keys=False), encoding="utf-8")
    make(tmp_path, share=0.05)
    monkeypatch.chdir(tmp_path)
    evaluate.main()
    report.main()
    claims = pd.read_csv("reports/tables/claims.csv")
    assert set(claims["study"]) == later
    assert set(claims["verdict"]) <= {"supported", "contradicted", "undecided"}
    assert "The one setting reaches" in Path("reports/report.html").read_text(encoding="utf-8")


def test_an_undecided_claim_names_the_seeds_it_needs_and_the_page_shows_them_first(reported):
    table = pd.read_csv(reported / "tables/claims.csv")
    needed = table.loc[table["verdict"] == "undecided", "seeds_needed"].dropna()
    assert len(needed) > 0
    assert (needed > 3).all()
    page = (reported / "report.html").read_text(encoding="utf-8")
    first_screen = page[page.index("<h1>") : page.index('id="rules"')]
    for seeds in needed:
        shown = "more images" if seeds == float("inf") else f"about {seeds:,.0f}"
        assert f'data-head="Seeds needed">{shown}</td>' in first_screen


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


def test_the_appendix_holds_a_textbook_test_for_each_rival_of_a_claim_and_every_winners_calibration(reported):
    page = (reported / "report.html").read_text(encoding="utf-8")
    appendix = page[page.index('<details id="appendix">') :]
    assert appendix.count("<td>McNemar</td>") == 7  # three rivals of two claims of 'best' and one of 'better'
    tested = len([name for name in STUDIES if name != "view-network"])  # whose images have no test part
    calibration, thresholds = appendix.split("<h3>Calibration</h3>")[1].split("<h3>Thresholds</h3>")
    assert calibration.count("</tr>") == thresholds.count("</tr>") == 1 + tested


def test_a_report_over_a_restricted_cohort_holds_no_pixel_of_it(reported_workspace, tmp_path, monkeypatch):
    monkeypatch.chdir(shutil.copytree(reported_workspace, tmp_path / "restricted"))
    tree = yaml.safe_load(Path("params.yaml").read_text())
    tree["cohorts"]["pneumonia"]["restricted"], tree["kept"] = True, "here/../"
    Path("params.yaml").write_text(yaml.safe_dump(tree))
    shutil.rmtree("images")  # what is not there can not be opened
    report.main()
    page = Path("reports/report.html").read_text(encoding="utf-8")
    assert not re.search(r"<img|data:image|base64", page)
    assert page.count("withheld: restricted") == 48
    assert "can&#39;t be shown" not in page
    assert "cohorts.pneumonia.restricted: false" in page
    assert "image-03" in page


def skip(skipped_of_study):
    """Makes the current workspace one in which train-grid skipped these settings (study -> labels)."""
    settings = read_settings("data/train-grid/settings.json")
    for study, labels in skipped_of_study.items():
        for label in labels:
            settings[study][label] = dataclasses.replace(settings[study][label], skipped=NO_SPLIT)
    write_settings("data/train-grid/settings.json", settings)
    for path, name in (("data/train-grid/grid.csv", "grid"), ("data/evaluate/metrics.csv", "metrics")):
        table = read_table(path, name)
        gone = [setting in skipped_of_study.get(study, ()) for study, setting in zip(table["study"], table["setting"])]
        write_table(path, table[~np.array(gone)], name)


def test_a_setting_that_was_skipped_is_named_with_the_reason(reported_workspace, tmp_path, monkeypatch):
    monkeypatch.chdir(shutil.copytree(reported_workspace, tmp_path / "own split"))
    skip({"protocol": ["protocol=official"]})
    report.main()
    page = Path("reports/report.html").read_text(encoding="utf-8")
    assert f"Skipped: protocol=official, because {NO_SPLIT}." in page
    assert "protocol=official" not in Path("reports/tables/protocol.md").read_text(encoding="utf-8")


def test_a_study_skipped_whole_keeps_its_section_and_its_claims_say_why(reported_workspace, tmp_path, monkeypatch):
    monkeypatch.chdir(shutil.copytree(reported_workspace, tmp_path / "skipped"))
    shutil.rmtree("reports")
    skip({"covid-cnn": ["before", "after"]})
    report.main()
    page = Path("reports/report.html").read_text(encoding="utf-8")
    section = page[page.index('<section id="study-covid-cnn">') :]
    section = section[: section.index("</section>")]
    assert section.count(NO_SPLIT) == 2
    assert "No setting of this study was run." in section
    assert "What the paper leaves open" in section
    table = pd.read_csv("reports/tables/claims.csv").set_index("study")
    assert set(table.loc["covid-cnn", "verdict"]) == {"not tested"}
    assert set(table.loc["covid-cnn", "reason"]) == {f"{one} was skipped: {NO_SPLIT}." for one in ("before", "after")}
    assert "no such study" not in page
    assert "covid-cnn.test" not in json.loads(Path("reports/metrics.json").read_text())
    assert not Path("reports/tables/covid-cnn.md").exists()


def test_the_plots_hold_every_run_as_tidy_rows(reported):
    grid = read_table(reported.parent / "data/train-grid/grid.csv", "grid")
    for name in ("learning-curves", "roc", "precision-recall", "reliability", "accuracy"):
        points = pd.read_csv(reported / "plots" / f"{name}.csv")
        cells = points[["study", "setting", "seed"]].drop_duplicates()
        diverged = 0 if name in ("learning-curves", "accuracy") else 1  # without finite scores there is no such curve
        assert len(cells) == len(grid) - diverged


def test_the_winners_confusion_on_validation_adds_up_to_their_images_and_accuracy(reported):
    table = pd.read_csv(reported / "plots/confusion.csv")
    winners = pd.read_csv(reported / "tables/winners.csv").set_index("study")
    assert set(table["study"]) == set(STUDIES)
    for study, cells in table.groupby("study"):
        assert len(cells) == 4
        assert set(cells["setting"]) == {winners.loc[study, "winner"]}
        right = cells.loc[cells["actual"] == cells["predicted"], "images"].sum() / cells["images"].sum()
        assert right == pytest.approx(winners.loc[study, "validation_accuracy"], abs=1e-4)


def test_every_study_shows_five_charts_each_with_its_numbers_and_a_confusion_matrix_a_setting(reported):
    page = (reported / "report.html").read_text(encoding="utf-8")
    grid = read_table(reported.parent / "data/train-grid/grid.csv", "grid")
    for name in STUDIES:
        section = page.split(f'<section id="study-{name}">')[1].split("</section>")[0]
        charts = section.split("<figure>")[1:]
        assert len(charts) == 5
        for chart in charts:
            figure = chart.split("</figure>")[0]
            assert re.search(r'<svg [^>]*role="img" aria-labelledby="[^"]+"', figure)
            assert "<figcaption>" in figure
            assert re.search(r"<details>.*<caption>.*n = 3<.*</details>", figure, re.DOTALL)
        settings = grid.loc[grid["study"] == name, "setting"].nunique()
        assert section.count('<table class="confusion">') == settings
    ids = re.findall(r' id="([^"]*)"', page)
    assert len(set(ids)) == len(ids)


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
