"""Every check passes good tables and fails bad ones: ``bad`` names, for each check, what must break it."""

import pandas as pd
import pytest

from cxrbench.base.tables import PROTOCOLS
from cxrbench.checks import data, parts, scores
from cxrbench.checks.outcome import Outcome, failures, outcome
from cxrbench.checks.run import open_tables, run_checks, validate
from tests.checks import good
from tests.checks.bad import BREAKS, NO_SPLIT, WARNINGS, drop, put


@pytest.fixture(scope="module")
def expected():
    """(table, words) -> expectation, of a source with a split of its own and of one without, and of the runs."""
    found = {}
    tables = good.data_tables()
    without = {**tables, "frontal": tables["frontal"].assign(source_part="")}
    for suites in (
        *(data.suites(each, good.LABELS, good.QUOTAS, good.SHORTFALL, "strict") for each in (tables, without)),
        scores.suites(),
    ):
        found |= {(table, check.description): check for table, checks in suites.items() for check in checks}
    return found


@pytest.fixture(scope="module")
def tables():
    return good.every_table()


@pytest.fixture(scope="module")
def run_one(tables):
    opened = open_tables(tables)

    def run(table: str, frame: pd.DataFrame, check) -> Outcome:
        return outcome(table, frame, validate(opened[table], frame, [check.copy(update={"id": None})])[0])

    return run


def test_every_check_has_bad_data_that_must_fail_it(expected) -> None:
    assert set(expected) == set(BREAKS)


def test_no_two_checks_of_a_table_go_by_the_same_words() -> None:
    suites = data.suites(good.data_tables(), good.LABELS, good.QUOTAS, good.SHORTFALL, "strict") | scores.suites()
    for table, checks in suites.items():
        assert len({check.description for check in checks}) == len(checks), table


@pytest.mark.parametrize(("table", "words"), BREAKS, ids=lambda value: value)
def test_a_check_fails_the_data_it_is_there_to_stop(table, words, expected, tables, run_one) -> None:
    result = run_one(table, BREAKS[table, words](tables[table]), expected[table, words])
    assert (result.table, result.check) == (table, words)
    assert not result.passed
    assert result.rows > 0


def test_good_tables_pass_every_check(expected) -> None:
    outcomes = good.check_data(good.data_tables()) + scores.check_scores(*good.run_inputs())
    assert [str(result) for result in outcomes if not result.passed] == []
    assert {(found.table, found.check) for found in outcomes} == {key for key in BREAKS if key[1] != NO_SPLIT}


def test_a_source_without_a_split_may_leave_the_official_protocol_empty() -> None:
    tables = good.data_tables()
    tables["frontal"]["source_part"] = ""
    tables["assignment"].loc[tables["assignment"]["cohort"] == "a", "official"] = ""
    tables["redrawn"]["official"] = ""
    for table in ("leaks", "redrawn_leaks", "shortcuts"):
        tables[table] = tables[table][tables[table]["protocol"] != "official"].reset_index(drop=True)
    assert all(result.passed for result in good.check_data(tables))


def test_only_what_training_can_live_with_is_a_warning(expected) -> None:
    assert {key for key, check in expected.items() if check.severity.value == "warning"} == WARNINGS
    assert {check.severity.value for check in expected.values()} == {"warning", "critical"}


def test_the_patient_protocol_answers_for_the_reading_that_made_it(tables, run_one) -> None:
    words = "a, patient protocol: no two parts share a patient (loose reading)"
    frame = put("groups", 1, protocol="patient", kind="patient, loose")(tables["leaks"])
    for reading, severity in (("strict", "warning"), ("loose", "critical")):
        checks = parts.leaks(good.QUOTAS, {"a": list(PROTOCOLS)}, reading)
        (check,) = (check for check in checks if check.description == words)
        result = run_one("leaks", frame, check)
        assert (result.passed, result.severity) == (False, severity)


def test_official_training_may_lack_its_share_and_no_more(expected, tables, run_one) -> None:
    check = expected["assignment", "a, official protocol, train: 2 to 3 pneumonia images"]
    lacks_one = drop(cohort="a", official="train", label="pneumonia")(tables["assignment"])
    assert run_one("assignment", lacks_one, check).passed
    lacks_two = drop(cohort="a", official="train", label="pneumonia")(lacks_one)
    assert run_one("assignment", lacks_two, check).found == "1 found, 1 too few"


def test_a_part_with_an_image_too_many_fails_and_names_images(expected, tables, run_one) -> None:
    check = expected["assignment", "a, paper protocol, test: 1 normal images"]
    result = run_one("assignment", put("paper", "test")(tables["assignment"]), check)
    assert not result.passed
    assert (result.found, result.rows) == ("2 found, 1 too many", 1)
    assert result.examples == ("a i00: a/00.png", "a i03: a/03.png")


def test_a_file_that_is_image_and_reject_is_marked_in_its_own_cohort_alone() -> None:
    manifest = good.data_tables()["manifest"]
    rows = [("a", "a/05.png", "damaged", ""), ("b", "a/05.png", "damaged", ""), ("a", "a/5.png", "damaged", "")]
    assert data.marked(good.table("rejects", rows), manifest)["also_image"].tolist() == ["yes", "no", "no"]


def test_tables_without_rows_are_checked_too(tables) -> None:
    suites = data.suites(good.data_tables(), good.LABELS, good.QUOTAS, good.SHORTFALL, "strict") | scores.suites()
    outcomes = run_checks({table: frame.head(0) for table, frame in tables.items()}, suites, "")
    for result in outcomes:
        assert result.passed == (result.rows == 0), result
    assert {result.table for result in failures(outcomes, "critical")} == {
        "manifest", "frontal", "assignment", "leaks", "shortcuts", "redrawn", "redrawn_leaks"
    }  # fmt: skip
