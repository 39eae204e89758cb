"""Every check passes good tables and fails bad ones: a table below names, for each check, what must break it."""

from collections.abc import Callable
from itertools import product

import pandas as pd
import pytest

from cxrbench.checks.outcome import Outcome, outcome
from cxrbench.checks.run import open_source, run_checks, validate
from cxrbench.checks.suites import suites
from cxrbench.manifest import PROTOCOLS

SHORTFALL = 0.5
FILES = {"a": 20}
NO_SPLIT = "a, official protocol: unused, for its source has no split of its own"

Break = Callable[[pd.DataFrame], pd.DataFrame]


def put(column: str, value: object, row: int = 0) -> Break:
    """Puts one value into a table."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame.loc[row, column] = value
        return frame

    return change


def fill(column: str, value: object) -> Break:
    return lambda frame: frame.assign(**{column: value})


def drop(**where: str) -> Break:
    """Takes the first row away that has these values."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        fits = pd.concat([frame[column] == value for column, value in where.items()], axis=1).all(axis=1)
        return frame.drop(index=frame.index[fits][0])

    return change


def drop_all(**where: str) -> Break:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        for column, value in where.items():
            frame = frame[frame[column] != value]
        return frame

    return change


def twice(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([frame, frame.head(1)], ignore_index=True)


def leak(protocol: str, kind: str) -> Break:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        row = frame.index[(frame["protocol"] == protocol) & (frame["kind"] == kind)][1]
        frame.loc[row, ["groups", "images", "examples"]] = [2, 3, "p03 p04"]
        return frame

    return change


BREAKS: dict[tuple[str, str], Break] = {
    ("manifest", "no image stands twice in a cohort"): twice,
    ("manifest", "every image belongs to a cohort of params.yaml"): put("cohort", "b"),
    ("manifest", "every sha256 is 64 hexadecimal digits"): put("sha256", "0" * 63 + "g"),
    ("manifest", "source_part is train, validation, test or empty"): put("source_part", "val"),
    ("manifest", "the width is at least 16 pixels"): put("width", 15),
    ("manifest", "the height is at least 16 pixels"): put("height", 15),
    ("manifest", "a: every label is normal or pneumonia, or empty"): put("label", "Normal"),
    ("manifest", "a: at most 50 % of the labels are empty"): put("label", ""),
    ("manifest", "a: there is at least one normal image"): drop_all(label="normal"),
    ("manifest", "a: there is at least one pneumonia image"): drop_all(label="pneumonia"),
    ("rejects", "every rejected file has a reason"): put("reason", ""),
    ("rejects", "a: at most 5 % of the files were rejected"): twice,
    ("frontal", "no image stands twice in a cohort"): twice,
    ("frontal", "every image is frontal"): put("view", "lateral"),
    ("frontal", "the view is known from metadata or the network"): put("view_by", ""),
    ("frontal", "every view_score is from 0 to 1"): put("view_score", 1.01),
    ("frontal", "every view that the network found has its view_score"): put("view_score", float("nan"), row=1),
    ("frontal", "a: at least 4 frontal normal images, as the quotas want"): drop(label="normal"),
    ("frontal", "a: at least 6 frontal pneumonia images, as the quotas want"): drop(label="pneumonia"),
    ("review", "every view_score is from 0 to 1"): put("view_score", -0.01),
    ("review", "every image to look at has a reason"): put("reason", ""),
    ("assignment", "no image stands twice in a cohort"): twice,
    ("assignment", "every target is 0 or 1"): put("target", 2),
    ("assignment", "every image belongs to a cohort that has quotas"): put("cohort", "b"),
    ("assignment", "paper: every part is train, validation, test or empty"): put("paper", "val"),
    ("assignment", "patient: every part is train, validation, test or empty"): put("patient", "val"),
    ("assignment", "official: every part is train, validation, test or empty"): put("official", "val"),
    ("assignment", "a: every label is normal or pneumonia"): put("label", ""),
    ("assignment", "a: normal has target 0"): put("target", 1),
    ("assignment", "a: pneumonia has target 1"): put("target", 0, row=9),
    ("assignment", "views: every label is lateral or frontal"): put("label", "normal", row=15),
    ("assignment", "views: lateral has target 0"): put("target", 1, row=15),
    ("assignment", "views: frontal has target 1"): put("target", 0, row=10),
    ("assignment", "a, official protocol, train: 1 to 2 normal images"): fill("official", ""),
    ("assignment", "a, official protocol, train: 2 to 3 pneumonia images"): fill("official", ""),
    ("assignment", NO_SPLIT): fill("official", "train"),
    ("leaks", "a, patient protocol: all 3 pairs of parts were searched for patients"): drop(protocol="patient"),
    ("leaks", "a, official protocol: all 3 pairs of parts were searched for patients"): drop(protocol="official"),
    ("leaks", "a, patient protocol: no patient stands in two parts"): leak("patient", "patient"),
    ("leaks", "a, official protocol: no patient stands in two parts"): leak("official", "patient"),
    ("leaks", "a, paper protocol: no identical file stands in two parts"): leak("paper", "identical file"),
    ("leaks", "a, patient protocol: no identical file stands in two parts"): leak("patient", "identical file"),
    ("leaks", "a, official protocol: no identical file stands in two parts"): leak("official", "identical file"),
}
COUNTS = [
    *product(["a"], PROTOCOLS, ["test"], [("normal", 1), ("pneumonia", 2)]),
    *product(["a"], PROTOCOLS, ["validation"], [("normal", 1), ("pneumonia", 1)]),
    *product(["a"], ["paper", "patient"], ["train"], [("normal", 2), ("pneumonia", 3)]),
    *product(["views"], PROTOCOLS, ["train"], [("frontal", 2), ("lateral", 2)]),
    *product(["views"], PROTOCOLS, ["validation"], [("frontal", 1), ("lateral", 1)]),
]
for _cohort, _protocol, _part, (_label, _n) in COUNTS:
    BREAKS["assignment", f"{_cohort}, {_protocol} protocol, {_part}: {_n} {_label} images"] = drop(
        cohort=_cohort, label=_label, **{_protocol: _part}
    )
WARNINGS = {
    ("manifest", "a: every label is normal or pneumonia, or empty"),
    ("manifest", "a: at most 50 % of the labels are empty"),
    ("rejects", "a: at most 5 % of the files were rejected"),
    ("leaks", "a, official protocol: no patient stands in two parts"),
    *((table, words) for table, words in BREAKS if "identical file" in words),
}


@pytest.fixture(scope="module")
def expected(labels, quotas):
    """(table, words) -> expectation, of a source with a split of its own and of one without."""
    found = {}
    for own_split in ({"a"}, set()):
        for table, suite in suites(labels, quotas, FILES, own_split, SHORTFALL).items():
            found |= {(table, check.description): check for check in suite.expectations}
    return found


def run_one(table: str, frame: pd.DataFrame, check) -> Outcome:
    import great_expectations as gx

    suite = gx.ExpectationSuite(name=table, expectations=[check.copy(update={"id": None})])
    return outcome(table, frame, validate(open_source(), table, frame, suite)[0])


def test_every_check_has_bad_data_that_must_fail_it(expected) -> None:
    assert set(expected) == set(BREAKS)


@pytest.mark.parametrize(("table", "words"), BREAKS, ids=lambda value: value)
def test_a_check_fails_the_data_it_is_there_to_stop(table, words, expected, tables) -> None:
    result = run_one(table, BREAKS[table, words](tables[table]), expected[table, words])
    assert (result.table, result.check) == (table, words)
    assert not result.passed
    assert result.rows > 0


def test_good_tables_pass_every_check(tables, labels, quotas) -> None:
    outcomes = run_checks(tables, labels, quotas, SHORTFALL)
    assert [str(result) for result in outcomes if not result.passed] == []
    assert len(outcomes) == len(BREAKS) - 1  # all but that of a source without a split


def test_a_source_without_a_split_may_leave_the_official_protocol_empty(tables, labels, quotas) -> None:
    tables["frontal"]["source_part"] = ""
    own = tables["assignment"]["cohort"] == "a"
    tables["assignment"].loc[own, "official"] = ""
    assert all(result.passed for result in run_checks(tables, labels, quotas, SHORTFALL))


def test_only_what_training_can_live_with_is_a_warning(expected) -> None:
    assert {key for key, check in expected.items() if check.severity.value == "warning"} == WARNINGS
    assert {check.severity.value for check in expected.values()} == {"warning", "critical"}


def test_official_training_may_lack_its_share_and_no_more(expected, tables) -> None:
    check = expected["assignment", "a, official protocol, train: 2 to 3 pneumonia images"]
    lacks_one = drop(cohort="a", official="train", label="pneumonia")(tables["assignment"])
    assert run_one("assignment", lacks_one, check).passed
    lacks_two = drop(cohort="a", official="train", label="pneumonia")(lacks_one)
    assert run_one("assignment", lacks_two, check).found == "1 found, 1 too few"


def test_a_part_with_an_image_too_many_fails_and_names_images(expected, tables) -> None:
    check = expected["assignment", "a, paper protocol, test: 1 normal images"]
    tables["assignment"].loc[0, "paper"] = "test"
    result = run_one("assignment", tables["assignment"], check)
    assert not result.passed
    assert (result.found, result.rows) == ("2 found, 1 too many", 1)
    assert result.examples == ("a i00: a/00.png", "a i03: a/03.png")


def test_tables_without_rows_are_checked_too(expected, tables) -> None:
    for (table, words), check in expected.items():
        result = run_one(table, tables[table].head(0), check)
        assert result.passed == (result.rows == 0), words
