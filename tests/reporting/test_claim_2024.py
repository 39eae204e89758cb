import re

import pytest

from cxrbench.base.errors import CxrbenchError
from cxrbench.published import papers
from cxrbench.published.paper_file import CHECKLIST_ITEMS
from cxrbench.reporting.claim_2024 import ITEMS, checklist
from cxrbench.reporting.page import render
from cxrbench.reporting.study import Section
from tests.stages.conftest import REPO


def states(found):
    return {row.number: row.state for row in found.rows}


def test_it_has_the_44_items_and_an_answer_wherever_it_names_a_section():
    assert len(ITEMS) == CHECKLIST_ITEMS == 44
    assert len({item.text for item in ITEMS}) == 44
    assert all(bool(item.section) == bool(item.answer) for item in ITEMS)


def test_an_item_is_answered_by_the_pipeline_only_where_its_section_is_on_the_page():
    found = checklist("s", {3: "Background.", 28: "Accuracy."}, {"study-s"})
    assert states(found)[28] == "pipeline"  # the paper answers it too
    assert (found.rows[27].by, found.rows[27].section, found.rows[27].paper) == (
        "pipeline and paper",
        "study-s",
        "Accuracy.",
    )
    assert (states(found)[3], found.rows[2].paper) == ("paper", "Background.")
    assert states(found)[29] == "nobody"  # 'rules' is not on this page
    assert states(checklist("s", {}, {"study-other", "rules"}))[28] == "nobody"


def test_the_title_counts_each_item_once():
    title = checklist("s", {3: "Background.", 28: "Accuracy."}, {"study-s", "claims", "data"}).title
    counts = [int(number) for number in re.findall(r"\d+", title.removeprefix("CLAIM 2024"))]
    assert counts[0] == 44 == sum(counts[1:])
    assert counts[2] == 1
    assert "paper" not in checklist("s", None, {"study-s"}).title


def test_the_page_shows_it_with_each_study_and_every_link_leads_somewhere():
    section = Section("own", "Q?", "S.", "", {}, "A.", [], "", [], [], None)
    text = render("Head", ["Caution."], [], ["Rules."], [], [section], [])
    part = text[text.index('<details class="checklist">') :]
    assert part.count('<th scope="row">') >= 44
    links = set(re.findall(r'href="#([^"]*)"', part))
    assert links
    assert links <= set(re.findall(r' id="([^"]*)"', text))
    assert "protocols" not in links


def test_every_published_paper_says_what_it_answers_and_none_answers_what_no_such_paper_does():
    found = papers.load(REPO / "data" / "published")
    assert all(paper.claim_2024 for paper in found.values())
    for item in (11, 18, 20, 21, 29, 34, 38, 39, 40, 43):  # none of them tells of these
        assert not [name for name, paper in found.items() if item in paper.claim_2024]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({45: "x"}, "45 is no item; name one from 1 to 44"),
        ({0: "x"}, "0 is no item"),
        ({"1": "x"}, "'1' is no item"),
        ({True: "x"}, "True is no item"),
        ({1: ""}, "claim_2024.1 is ''"),
        ({1: 5}, "claim_2024.1 is 5"),
        (["x"], "must be a mapping"),
    ],
)
def test_a_wrong_entry_is_one_sentence(entry, message):
    citation = dict.fromkeys(
        ("authors", "title", "title_original", "journal", "year", "volume", "issue", "pages", "doi")
    )
    tree = {"study": "s", "question": "Q?", "citation": citation, "tables": [], "claims": [], "unsaid": []}
    with pytest.raises(CxrbenchError, match=re.escape(message)):
        papers.parse({**tree, "contradictions": [], "claim_2024": entry})
