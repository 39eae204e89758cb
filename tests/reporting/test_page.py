import dataclasses
import math
import re

import pytest

from cxrbench.evaluation.comparisons import Comparison, Contrast
from cxrbench.evaluation.verdicts import Claim, Verdict
from cxrbench.reporting.page import headline, render, verdict_line
from cxrbench.reporting.study import Section
from cxrbench.reporting.text_tables import TextTable

CLAIM = Claim("c", "s", "A <b> beats all", "best", "accuracy", "test", ("a",), ("b",))


def verdict(word="supported", metric="accuracy", value=0.02):
    decisive = Comparison(Contrast(metric, "test", "a", "b", (-0.01, 0.01)), "above", value, 0.015, 0.025, 0.98, 400)
    return Verdict(CLAIM, word, "Because.", 3, decisive)


def test_the_headline_counts_every_verdict():
    verdicts = [verdict(), verdict("undecided"), Verdict(CLAIM, "not tested", "No run.")]
    assert headline(verdicts, ["s"]) == (
        "Of 3 published claims, our runs support 1, contradict 0, leave 1 undecided and do not test 1."
    )


@pytest.mark.parametrize("names", [["mine"], ["mine", "ours"]])
def test_a_page_without_claims_asks_what_its_studies_ask_and_answers_it_first(names):
    sections = [Section(name, "Q?", "S.", "", {}, [f"{name} is answered."], [], "", [], [], None) for name in names]
    head = headline([], names)
    assert head == ("Study mine: which setting is best?", "Which setting is best in each of 2 studies?")[len(names) - 1]
    text = render(head, [], [], [], [], sections, [])
    claims = text.split('<section id="claims">')[1].split("</section>")[0]
    assert [f"{name} is answered." in claims for name in names] == [True] * len(names)
    assert "<table" not in claims
    assert "published comparisons" not in text


def test_a_verdict_is_shown_by_word_and_sign_with_difference_interval_and_n():
    line = verdict_line(verdict())
    assert (line.sign, line.verdict, line.measure) == ("✓", "supported", "Accuracy, test")
    assert (line.difference, line.interval, line.n) == (
        "+2.00 points",
        "[+1.50 to +2.50] at 98 %",
        "3 runs, 400 patients",
    )
    assert verdict_line(Verdict(CLAIM, "not tested", "No run.")).difference == ""


@pytest.mark.parametrize(
    ("needed", "shown"), [(12.0, "about 12"), (1234.0, "about 1,234"), (math.inf, "more images"), (math.nan, "")]
)
def test_the_seeds_that_would_decide_a_claim_stand_beside_it(needed, shown):
    assert verdict_line(dataclasses.replace(verdict("undecided"), seeds_needed=needed)).seeds == shown
    assert shown in render("Head", [], [], [], [dataclasses.replace(verdict(), seeds_needed=needed)], [], [])


@pytest.mark.parametrize(("metric", "value", "shown"), [("accuracy", 0.934, "a: 93.40 %"), ("loss", 0.2, "a: 0.2000")])
def test_a_claim_on_a_value_shows_the_value_with_its_interval(metric, value, shown):
    claim = dataclasses.replace(CLAIM, kind="value", metric=metric, against=(), value=(0.9, 0.9))
    decisive = Comparison(Contrast(metric, "test", "a", None, (0.89, 0.91)), "open", value, 0.1, 0.95, 0.995, 400)
    line = verdict_line(Verdict(claim, "undecided", "Because.", 3, decisive))
    assert line.difference == shown
    assert line.interval.endswith("] at 99.5 %")


@pytest.mark.parametrize("name", ["claims", "data", "protocols", "rules"])
def test_a_study_may_have_the_name_of_a_section_of_the_page(name):
    section = Section(name, "Q?", "S.", "", {}, "A.", [], "", [], [], None)
    text = render("Head", [], [], [], [], [section], [])
    ids = re.findall(r' id="([^"]*)"', text)
    assert len(set(ids)) == len(ids)
    assert set(re.findall(r'href="#([^"]*)"', text)) <= set(ids)


def test_text_of_the_papers_is_escaped():
    text = render("Head", [], [], ["Rules."], [verdict()], [], [])
    assert "A &lt;b&gt; beats all" in text


def test_a_marked_cell_is_bold_and_a_cell_of_several_lines_shows_the_rest_small():
    table = TextTable("T", "n", ("a", "b"), [["x_<i>", "1\n[2 to 3]"], ["y", "4"]], 1, marked=[(0, 1)])
    text = render("Head", [], [], ["Rules."], [], [], [table])
    assert '<td class="number marked"><span class="line">1</span><span class="small line">[2 to 3]</span></td>' in text
    assert '<td class="number">4</td>' in text
    assert '<th scope="row">x_<wbr>&lt;i&gt;</th>' in text
