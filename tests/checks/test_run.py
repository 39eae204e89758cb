"""Outcomes name rows; pages hold all they need; nothing is said on the way."""

import os
import re
import subprocess
import sys

import pytest

from cxrbench.checks import verdict
from cxrbench.checks.outcome import failures
from cxrbench.checks.run import run_checks
from cxrbench.errors import CxrbenchError


@pytest.fixture
def broken(new_tables):
    return break_tables(new_tables())


@pytest.fixture(scope="module")
def checked(new_tables, labels, quotas, tmp_path_factory):
    """The outcomes of the broken tables and the folder of their pages."""
    folder = tmp_path_factory.mktemp("docs")
    return run_checks(break_tables(new_tables()), labels, quotas, 0.0, folder), folder


def break_tables(tables):
    """Two critical failures (seven images of a bad hash, one of them oddly named; a shared patient), one warning."""
    tables["manifest"].loc[:6, "sha256"] = "12"
    tables["manifest"].loc[0, "path"] = "a/<b>odd & $name.png"
    leak = (tables["leaks"]["protocol"] == "patient") & (tables["leaks"]["kind"] == "patient")
    tables["leaks"].loc[leak, ["groups", "examples"]] = [1, "p03"]
    tables["manifest"].loc[3, "label"] = "Normal"
    return tables


def test_a_failure_names_five_rows_at_most(checked) -> None:
    outcomes, _ = checked
    first = failures(outcomes, "critical")[0]
    assert (first.table, first.rows, len(first.examples)) == ("manifest", 7, 5)
    assert str(first) == (
        "'every sha256 is 64 hexadecimal digits' fails on table manifest: 7 of 19 rows (a i00: a/<b>odd & $name.png;"
        " a i01: a/01.png; a i02: a/02.png; a i03: a/03.png; a i04: a/04.png; ...)"
    )


def test_a_critical_failure_stops_with_one_sentence_that_names_rows(checked) -> None:
    outcomes, _ = checked
    with pytest.raises(CxrbenchError) as error:
        verdict.stop_if_critical(outcomes, "docs/index.html")
    assert str(error.value).startswith(
        "the check 'every sha256 is 64 hexadecimal digits' fails on table manifest: 7 of"
    )
    assert "a i01: a/01.png" in str(error.value)
    assert "1 more critical check" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_warning_does_not_stop(tables, labels, quotas) -> None:
    tables["manifest"].loc[3, "label"] = "Normal"
    outcomes = run_checks(tables, labels, quotas, 0.0)
    assert [found.examples for found in failures(outcomes, "warning")] == [("a i03: a/03.png",)]
    verdict.stop_if_critical(outcomes, "docs/index.html")


def test_a_shared_patient_is_named(checked) -> None:
    leak = failures(checked[0], "critical")[-1]
    assert leak.examples[0] == "train and validation share p03"


def test_the_same_tables_give_the_same_pages_and_verdict(checked, broken, labels, quotas, tmp_path) -> None:
    again = run_checks(broken, labels, quotas, 0.0, tmp_path), tmp_path
    texts = []
    for outcomes, folder in (checked, again):
        texts.append({page.name: page.read_text() for page in folder.iterdir()} | {"": verdict.to_json(outcomes)})
    assert texts[0] == texts[1]
    assert set(texts[0]) == {"", "index.html", *(f"{table}.html" for table in broken)}


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
    assert ">Normal<" in (folder / "manifest.html").read_text()


def test_a_name_that_holds_html_is_shown_as_it_is(checked) -> None:
    for page in ("index.html", "manifest.html"):
        text = (checked[1] / page).read_text()
        assert "<b>odd" not in text
        assert "a/&lt;b&gt;odd &amp; $name.png" in text


def test_great_expectations_waits_for_the_first_check_and_is_told_to_send_nothing(
    tables, labels, quotas, capfd
) -> None:
    imported = "import sys, cxrbench.stages.validate; sys.exit('great_expectations' in sys.modules)"
    subprocess.run([sys.executable, "-c", imported], check=True)
    run_checks(tables, labels, quotas, 0.0)
    assert os.environ["GX_ANALYTICS_ENABLED"] == "false"
    assert capfd.readouterr() == ("", "")
