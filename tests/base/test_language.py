"""The catalogues hold every text of the report and no other; the language that is spoken ends where it should."""

import re
from collections import Counter
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from cxrbench.base import language
from cxrbench.base.language import CATALOGUES, LANGUAGES, N_, _, catalogue, retold, speaking, spoken
from cxrbench.base.tables import empty
from cxrbench.checks.data import suites
from cxrbench.published.papers import load
from cxrbench.reporting.data_words import CHECKS

ROOT = Path(__file__).parents[2]
PLACEHOLDER = r"\{\w+(?::\w+)?\}|%\(\w+\)s"
METHODS = [("**.py", "python"), ("**.html.j2", "jinja2")]
OPTIONS = {"**.html.j2": {"trimmed": "true", "newstyle_gettext": "true", "silent": "false"}}
OTHERS = [one for one in LANGUAGES if one != "en"]
# Names that Korean papers write in Latin letters.
CODES = {"Brier", "ECE", "AUC", "auc", "MSE", "mse", "f1", "F1, %", " nats", " points", "covid"}
CODES |= {"Python, Keras, Anaconda", "n = {n}"}


def of_the_code():
    """Every text that the code and the templates mark."""
    found = extract_from_dir(ROOT / "src" / "cxrbench", METHODS, OPTIONS)
    return {message for _name, _line, message, _comments, _context in found}


def of_the_papers():
    """Every text of data/published that the page shows and that holds a word."""
    texts = set()
    for paper in load(ROOT / "data" / "published").values():
        texts |= {paper.question, *paper.contradictions, *(claim.statement for claim in paper.claims)}
        texts |= {table.name for table in paper.tables} | set(paper.claim_2024.values())
        texts |= {text for entry in (*paper.unsaid, *paper.untestable, *paper.facts) for text in entry.values()}
    return {text for text in texts if re.search("[A-Za-z]{2}", text)}


@pytest.mark.parametrize("name", OTHERS)
def test_a_catalogue_holds_every_text_of_the_report_and_no_other(name):
    wanted, told = of_the_code() | of_the_papers(), set(catalogue(name))
    assert len(wanted) > 500
    assert sorted(wanted - told) == []
    assert sorted(told - wanted) == []


@pytest.mark.parametrize("name", OTHERS)
def test_a_catalogue_holds_each_text_once_and_nothing_that_waits_for_a_translator(name):
    path = CATALOGUES / f"{name}.po"
    with path.open("rb") as file:
        messages = read_po(file, locale=name, abort_invalid=True)
    assert len(re.findall("^msgid ", path.read_text(encoding="utf-8"), re.M)) == len(messages) + 1  # its head
    assert [message.id for message in messages if message.id and (message.fuzzy or not message.string)] == []
    assert messages.obsolete == {}


@pytest.mark.parametrize("name", OTHERS)
def test_a_translation_has_the_placeholders_the_numbers_and_the_blanks_at_the_ends_of_its_text(name):
    """A number that got lost, or another one, would be a false figure in a sentence that reads well."""

    def parts(text):
        numbers = re.findall(r"\d(?:[\d.,]*\d)?", re.sub(PLACEHOLDER, "", text))
        return (
            Counter(re.findall(PLACEHOLDER, text)),
            Counter(numbers),
            text[0] == " ",
            text[-1] == " ",
            text.count("\n"),
        )

    wrong = [text for text, told in catalogue(name).items() if parts(text) != parts(told)]
    assert wrong == []


def test_every_korean_translation_is_korean():
    told = catalogue("ko")
    left = [text for text in told if text not in CODES and not re.search("[가-힣]", told[text])]
    assert [text for text in left if re.search("[A-Za-z]{2}", re.sub(PLACEHOLDER, "", told[text]))] == []


def test_no_korean_particle_that_depends_on_the_sound_before_it_follows_a_placeholder():
    """'{setting}은' is wrong where the setting's last sound is a vowel; '은(는)' or a noun in between is not."""
    particle = rf"(?:{PLACEHOLDER})(?:은|는|이|가|을|를|와|과|로|으로)(?![가-힣(])"
    assert [told for told in catalogue("ko").values() if re.search(particle, told)] == []


def test_one_term_has_one_word_in_korean():
    told = catalogue("ko")
    for text, word in {
        "batch size": "배치 크기",
        "learning rate": "학습률",
        "accuracy": "정확도",
        "cross-entropy": "교차 엔트로피",
        "optimizer": "최적화 알고리즘",
        "pretrained": "사전학습",
        "specificity": "특이도",
        "margin": "허용 한계",
        "seeds": "시드",
    }.items():
        said = {one: re.sub(PLACEHOLDER, "", one) for one in told}
        wrong = [one for one in told if re.search(rf"\b{text}\b", said[one], re.I) and word not in told[one]]
        assert wrong == [], text


def test_what_is_said_inside_is_in_the_language_and_outside_in_the_one_before():
    assert (spoken(), _("supported")) == ("en", "supported")
    with speaking("ko"):
        assert (spoken(), _("supported"), _("a text that no catalogue holds")) == (
            "ko",
            "지지됨",
            "a text that no catalogue holds",
        )
        with speaking("en"):
            assert _("supported") == "supported"
        assert _("supported") == "지지됨"
    assert (spoken(), _("supported"), N_("supported")) == ("en", "supported", "supported")


def test_the_language_ends_where_something_fails_inside():
    with pytest.raises(ZeroDivisionError), speaking("ko"):
        print(1 / 0)
    assert spoken() == "en"


def test_what_an_earlier_stage_wrote_is_said_again_with_all_that_stands_in_it_but_names(monkeypatch):
    told = {"no {what} in {cohort}": "{cohort}에 {what} 없음", "cat": "고양이"}
    monkeypatch.setattr(language, "catalogue", lambda name: told)
    with speaking("ko"):
        assert retold("no cat in a+b", ["x{what}", *told]) == "a+b에 고양이 없음"
        assert retold("no cat in cat", list(told)) == "cat에 고양이 없음"
        assert retold("cat", ["no {what} in {cohort}"]) == "고양이"
        assert retold("of another form", list(told)) == "of another form"
    assert retold("no cat in a+b", list(told)) == "no cat in a+b"


def test_every_form_of_a_check_that_warns_is_one_that_the_checks_write():
    """Else a failed check would stand in English on a Korean page."""
    labels, quotas = {"pneumonia": ("normal", "pneumonia")}, {"pneumonia": {"train": {"normal": 2, "pneumonia": 3}}}
    tables = {name: empty(name) for name in ("manifest", "rejects", "frontal", "redrawn")}
    tables["redrawn"].loc[0, "seed"] = 0
    written = suites(tables, labels, quotas, 0.0, "strict")
    warned = [one.description for checks in written.values() for one in checks if one.severity == "warning"]
    assert len(warned) >= 8
    with speaking("ko"):
        left = [text for text in warned if not re.search("[가-힣]", retold(text, CHECKS))]
    assert left == []
