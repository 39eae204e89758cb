import pytest

from cxrbench.evaluation.comparisons import Comparison, Contrast
from cxrbench.evaluation.verdicts import Claim, Verdict
from cxrbench.reporting import words
from cxrbench.reporting.data import Plain
from cxrbench.reporting.page import headline, render, verdict_line

CLAIM = Claim("c", "s", "A <b> beats all", "best", "accuracy", "test", ("a",), ("b",))


def verdict(word="supported", metric="accuracy", value=0.02):
    decisive = Comparison(Contrast(metric, "test", "a", "b", (-0.01, 0.01)), "above", value, 0.015, 0.025, 0.98, 400)
    return Verdict(CLAIM, word, "Because.", 3, decisive)


def test_the_headline_counts_every_verdict():
    verdicts = [verdict(), verdict("undecided"), Verdict(CLAIM, "not tested", "No run.")]
    assert headline(verdicts) == (
        "Of 3 published claims, our runs support 1, contradict 0, leave 1 undecided and do not test 1."
    )
    assert "no claim" in headline([])


def test_a_verdict_is_shown_by_word_and_sign_with_difference_interval_and_n():
    line = verdict_line(verdict())
    assert (line.sign, line.verdict, line.where) == ("✓", "supported", "Accuracy, test")
    assert (line.difference, line.interval, line.n) == ("+2.00 points", "[+1.50 to +2.50]", "3 runs, 400 patients")
    assert verdict_line(Verdict(CLAIM, "not tested", "No run.")).difference == ""


def test_text_of_the_papers_is_escaped():
    text = render("Head", [], [], "Rules.", [verdict()], [], [])
    assert "A &lt;b&gt; beats all" in text


@pytest.mark.parametrize(
    ("profile", "phantoms", "count"), [("paper", [], 0), ("quick", [], 1), ("paper", ["covid"], 1), ("cpu", ["x"], 2)]
)
def test_a_reader_is_warned_of_phantoms_and_of_small_profiles(profile, phantoms, count):
    told = words.cautions(profile, phantoms)
    assert len(told) == count
    assert any("not of patients" in text for text in told) == bool(phantoms)


def test_a_marked_cell_is_bold_and_a_cell_of_several_lines_shows_the_rest_small():
    table = Plain("T", "n", ("a", "b"), [["x_<i>", "1\n[2 to 3]"], ["y", "4"]], 1, marked=[(0, 1)])
    text = render("Head", [], [], "Rules.", [], [], [table])
    assert '<td class="number marked"><span class="line">1</span><span class="small line">[2 to 3]</span></td>' in text
    assert '<td class="number">4</td>' in text
    assert "<td>x_<wbr>&lt;i&gt;</td>" in text
