"""The report in Korean beside the one in English: nothing is left in English, and no number is another."""

import dataclasses
import html.parser
import json
import re
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
import yaml

from cxrbench.base import language
from cxrbench.base.tables import TABLES
from cxrbench.config.params import load
from cxrbench.evaluation.comparisons import Comparison, Contrast
from cxrbench.evaluation.verdicts import Claim, Verdict
from cxrbench.published import papers
from cxrbench.reporting import page
from cxrbench.reporting.context import context_of, rules_of
from cxrbench.reporting.report import write_report
from cxrbench.reporting.results import read_results
from cxrbench.reporting.study import Section
from cxrbench.reporting.text_tables import TextTable

SPOKEN = ("aria-label", "alt", "title", "data-label", "placeholder")  # attributes that a reader may see or hear
COMMAND = r"dvc exp run -S 'seeds=\[[\d, ]+\]'|cxrbench (?:pack|report --from) results/NAME|P\(frontal\)"
TOKEN = re.compile(r"[A-Za-z][\w./=-]*\w|[A-Za-z]", re.ASCII)


class Texts(html.parser.HTMLParser):
    """Every text of a page that a reader sees or hears."""

    def __init__(self, shown):
        super().__init__()
        self.found, self.hidden, self.joined = [], 0, False
        self.feed(shown)

    def handle_starttag(self, tag, attrs):
        self.hidden += tag in ("style", "script")
        self.joined = tag == "wbr"
        self.found += [value for name, value in attrs if name in SPOKEN and value]

    def handle_endtag(self, tag):
        self.hidden -= tag in ("style", "script")
        self.joined = False

    def handle_data(self, data):
        if self.joined:
            self.found[-1] += data.strip()
        elif not self.hidden and data.strip():
            self.found.append(data.strip())


@pytest.fixture(scope="module")
def reports(evaluated_workspace, tmp_path_factory):
    """The folder of two reports, the one in Korean made first, then the one in English."""
    to = tmp_path_factory.mktemp("reports")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(evaluated_workspace)
        params, found, results = load("params.yaml"), papers.load("data/published"), with_attention()
        for spoken in ("ko", "en"):
            context = dataclasses.replace(context_of(params), language=spoken)
            write_report(to / spoken, results, found, context, rules_of(params.report))
    return to


def with_attention():
    """The results of the current workspace, as if two of its networks had been looked into."""
    pictured = {"true positive": (0.7, "a.jpg"), "true negative": (None, ""), "false positive": (0.5, "")}
    rows = [
        (study, setting, 1, "run", "test", group, "pneumonia", "image-00", 0.9, inside, 0.66, "4 x 4", picture)
        for study, setting in (("batch-size", "batch_size=32"), ("learning-rate", "lr=0.001"))
        for group, (inside, picture) in pictured.items()
    ]
    table = pd.DataFrame(rows, columns=list(TABLES["attention"])).astype({"inside": "float64"})
    return dataclasses.replace(read_results(Path("data")), attention=table, pictures={"a.jpg": b"a picture"})


def names(workspace):
    """The words of names: of params.yaml, of the papers' citations, of images and runs, and of Korean texts."""
    cited = [yaml.safe_load(path.read_text())["citation"] for path in (workspace / "data/published").glob("*.yaml")]
    texts = [json.dumps(cited), json.dumps(yaml.safe_load((workspace / "params.yaml").read_text()))]
    texts += [path.read_text() for path in (workspace / "data/train-grid").glob("*/run.json")]
    texts += [
        (workspace / path).read_text() for path in ("data/train-grid/settings.json", "data/view-filter/review.csv")
    ]
    texts += [(workspace / "data/split/duplicates.csv").read_text()]
    found = {token for text in texts for token in TOKEN.findall(text)}
    claims = {claim.id for paper in papers.load(workspace / "data/published").values() for claim in paper.claims}
    told = {token for text in language.catalogue("ko").values() for token in TOKEN.findall(text)}
    others = {"leaks", "cxrbench", "base", "doi"}
    return {part for one in found for part in (one, *re.split("[_=]", one))} | claims | told | others


def english_in(shown, allowed):
    """Texts of a page that hold a word which is no name."""
    texts = {re.sub(COMMAND, "", text) for text in Texts(shown).found}
    return sorted(text for text in texts if any(len(t) > 1 and t not in allowed for t in TOKEN.findall(text)))


def test_no_text_of_the_korean_page_is_english(reports, evaluated_workspace):
    shown = (reports / "ko/report.html").read_text()
    assert '<html lang="ko">' in shown
    assert english_in(shown, names(evaluated_workspace)) == []


def test_a_text_that_is_left_in_english_would_be_found(monkeypatch):
    """The search above is no use if it can't fail: a table's head, a word, a cell, an attribute, a sentence."""
    left = {
        "Decisive difference": "Decisive difference",
        "undecided": "undecided",
        "{runs} runs, {patients} patients": "3 runs, 400 patients",
        "Verdicts": "Verdicts",
        "None.": "None.",
        "Study %(name)s.": "Study s.",
    }
    decisive = Comparison(Contrast("accuracy", "test", "a", "b", (-0.01, 0.01)), "open", 0.02, 0.01, 0.03, 0.9, 400)
    verdict = Verdict(Claim("c", "s", "", "best", "accuracy", "test", ("a",), ("b",)), "undecided", "", 3, decisive)
    section = Section("s", "", "", "", {}, "", [], "", [], [], None)
    told = {text: korean for text, korean in language.catalogue("ko").items() if text not in left}
    monkeypatch.setattr(language, "catalogue", lambda name: told)
    with language.speaking("ko"):
        shown = page.render("", [], [], [], [verdict], [section], [TextTable("", "", (), [], 9)])
    assert set(english_in(shown, {"cxrbench", "CLAIM"})) - set(told.values()) == set(left.values())


def test_the_numbers_of_both_pages_are_the_same(reports):
    def numbers(name):
        texts = Texts((reports / name / "report.html").read_text()).found
        return Counter(number for text in texts for number in re.findall(r"[+−]?\d(?:[\d.,]*\d)?", text))

    english, korean = numbers("en"), numbers("ko")
    assert (english - korean, korean - english) == (Counter(), Counter())
    assert sum(english.values()) > 1000


def test_an_english_report_after_a_korean_one_holds_nothing_of_it(reports, evaluated_workspace):
    """Korean names and titles of the papers, and words that they are quoted with, stand in it all the same."""
    found = papers.load(evaluated_workspace / "data/published").values()
    own = [text for paper in found for text in paper.contradictions]
    own += [name for paper in found for name in (*paper.citation["authors"], *paper.citation.values()) if name]
    korean = [text for text in own if isinstance(text, str) and re.search("[가-힣]", text)]
    texts = [text for text in Texts((reports / "en/report.html").read_text()).found if re.search("[가-힣]", text)]
    assert [text for text in texts if not any(name in text for name in korean)] == []


def test_the_tables_for_programs_have_the_same_keys_and_numbers_in_both(reports):
    """Only the reason is a sentence for people."""
    for path in sorted((reports / "en").rglob("*.csv")):
        english, korean = pd.read_csv(path), pd.read_csv(reports / "ko" / path.relative_to(reports / "en"))
        if path.name == "claims.csv":
            assert korean["reason"].str.contains("[가-힣]").all()
            english, korean = english.drop(columns="reason"), korean.drop(columns="reason")
        pd.testing.assert_frame_equal(english, korean)
    assert (reports / "en/metrics.json").read_bytes() == (reports / "ko/metrics.json").read_bytes()


def test_the_tables_for_people_are_korean_too(reports):
    for path in sorted((reports / "en").rglob("*.md")):
        korean = (reports / "ko" / path.relative_to(reports / "en")).read_text()
        assert "| 설정 |" in korean or "| 연구 |" in korean, path
        assert "Accuracy" not in korean, path
