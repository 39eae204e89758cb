"""Outcomes name rows; pages hold all they need; nothing is said on the way; Great Expectations starts once."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cxrbench.base.errors import CxrbenchError
from cxrbench.checks import engine, parts, scores, verdict
from cxrbench.checks.outcome import failures
from cxrbench.checks.run import run_checks
from tests.checks import good

PAGE = Path("docs/index.html")


@pytest.fixture(scope="module")
def checked(tmp_path_factory):
    """The outcomes of the broken tables and the folder of their pages."""
    folder = tmp_path_factory.mktemp("docs")
    return good.check_data(broken(), folder), folder


def broken():
    """Two critical failures (seven images of a bad hash, one of them oddly named; a shared patient), one warning."""
    tables = good.data_tables()
    tables["manifest"].loc[:6, "sha256"] = "12"
    tables["manifest"].loc[0, "path"] = "a/<b>odd & $name.png"
    leaks = tables["leaks"]
    leak = (leaks["protocol"] == "patient") & (leaks["kind"] == "patient, strict") & (leaks["b"] == "test")
    tables["leaks"].loc[leak, ["groups", "examples"]] = [1, "p03"]
    tables["manifest"].loc[3, "label"] = "Normal"
    return tables


def test_a_failure_names_five_rows_at_most_and_what_is_wrong_with_them(checked) -> None:
    outcomes, _ = checked
    first = failures(outcomes, "critical")[0]
    assert (first.table, first.rows, len(first.examples)) == ("manifest", 7, 5)
    assert str(first) == (
        "'every sha256 is 64 hexadecimal digits' fails on table manifest: 7 of 19 rows"
        " (a i00: a/<b>odd & $name.png [sha256 '12']; a i01: a/01.png [sha256 '12']; a i02: a/02.png [sha256 '12'];"
        " a i03: a/03.png [sha256 '12']; a i04: a/04.png [sha256 '12']; ...)"
    )


def test_a_person_reads_each_failure_with_its_rows_below(checked) -> None:
    assert verdict.lines(checked[0], PAGE) == [
        "critical: 'every sha256 is 64 hexadecimal digits' fails on table manifest: 7 of 19 rows",
        "    a i00: a/<b>odd & $name.png [sha256 '12']",
        *(f"    a i0{number}: a/0{number}.png [sha256 '12']" for number in range(1, 5)),
        "    and 2 more",
        "critical: 'a, patient protocol: no two parts share a patient (strict reading)' fails on table leaks:"
        " 2 of 3 rows",
        "    train and test share 1: p03",
        "    validation and test share 1: p03",
        "warning: 'a: every label is normal or pneumonia, or empty' fails on table manifest: 1 of 19 rows",
        "    a i03: a/03.png [label 'Normal']",
        f"{len(checked[0])} checks of 10 tables: 2 critical failures, 1 warnings; see docs/index.html",
    ]


def test_a_critical_failure_stops_with_one_sentence_that_names_rows(checked) -> None:
    with pytest.raises(CxrbenchError) as error:
        verdict.stop_if_critical(checked[0], PAGE)
    assert str(error.value).startswith(
        "the check 'every sha256 is 64 hexadecimal digits' fails on table manifest: 7 of"
    )
    assert "a i01: a/01.png" in str(error.value)
    assert "1 more critical check fails; see docs/index.html" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_warning_does_not_stop() -> None:
    frame = good.data_tables()["shortcuts"]
    frame.loc[0, "auc"] = 0.921
    outcomes = run_checks({"shortcuts": frame}, {"shortcuts": parts.shortcuts({"a": ["paper"]})}, "")
    assert [found.examples for found in failures(outcomes, "warning")] == [
        ("a, paper protocol: file size alone reaches AUC 0.921",)
    ]
    verdict.stop_if_critical(outcomes, PAGE)


def test_the_same_tables_give_the_same_pages_and_verdict(checked, tmp_path) -> None:
    again = good.check_data(broken(), tmp_path), tmp_path
    texts = []
    for outcomes, folder in (checked, again):
        texts.append({page.name: page.read_text() for page in folder.iterdir()} | {"": verdict.to_json(outcomes)})
    assert texts[0] == texts[1]
    assert set(texts[0]) == {"", "index.html", *(f"{table}.html" for table in broken())}


def test_pages_fetch_nothing_and_link_only_to_each_other(checked) -> None:
    _, folder = checked
    for page in folder.iterdir():
        text = page.read_text()
        assert "<script" not in text
        assert "://" not in text
        for target in re.findall(r'(?:href|src)="([^"]*)"', text):
            assert (folder / target).is_file(), (page.name, target)


def test_pages_show_every_check_once_with_its_result_and_the_values_that_fail(checked) -> None:
    outcomes, folder = checked
    for table in {found.table for found in outcomes}:
        text = (folder / f"{table}.html").read_text()
        mine = [found for found in outcomes if found.table == table]
        for found in mine:
            assert len(re.findall(rf">\s*{re.escape(found.check)}\s*<", text)) == 1
        assert text.count('class="fas fa-check-circle') == sum(found.passed for found in mine)
        assert text.count('class="fas fa-times') == sum(not found.passed for found in mine)
    assert "a i03: a/03.png [label &#x27;Normal&#x27;]<" in (folder / "manifest.html").read_text()


def test_a_name_that_holds_html_is_shown_as_it_is(checked) -> None:
    for page in ("index.html", "manifest.html"):
        text = (checked[1] / page).read_text()
        assert "<b>odd" not in text
        assert "a/&lt;b&gt;odd &amp; $name.png" in text


def test_pages_say_what_a_table_holds_and_what_was_checked(checked) -> None:
    index, leaks = ((checked[1] / page).read_text() for page in ("index.html", "leaks.html"))
    assert "<h1>Checks of the data</h1>" in index
    assert "<h1>Checks of the data: leaks</h1>" in leaks
    for text in (index, leaks):
        assert "what two parts, or two labels, share" in text


def test_great_expectations_waits_for_the_first_check_and_is_told_to_send_nothing(capfd, tmp_path) -> None:
    imported = (
        "import sys, cxrbench.stages.validate, cxrbench.stages.evaluate; sys.exit('great_expectations' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", imported], check=True)
    scores.check_scores(*good.run_inputs(), tmp_path)
    assert os.environ["GX_ANALYTICS_ENABLED"] == "false"
    assert capfd.readouterr() == ("", "")


def test_one_context_serves_all_tables(monkeypatch) -> None:
    gx, opened = engine.load(), []
    get_context = gx.get_context
    monkeypatch.setattr(gx, "get_context", lambda **kwargs: opened.append(1) or get_context(**kwargs))
    scores.check_scores(*good.run_inputs())
    assert opened == [1]
