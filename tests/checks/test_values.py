"""Checks of single values against a plain rule, over values that hypothesis finds."""

import re
import string

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cxrbench.checks import data, scores
from cxrbench.checks.outcome import failures, outcome
from cxrbench.checks.run import open_tables, validate
from tests.checks import good

# What hypothesis would not find: all but right, or right and then some.
HEX = st.text(string.hexdigits + "\n", min_size=63, max_size=65) | st.text(max_size=20)
BLANKS = st.text(" \t\n\x1c\x85\xa0\u2003", max_size=3)
NUMBERS = st.floats(width=32) | st.sampled_from([0.0, 1.0, 255.0, -1e-9, 1 + 1e-9, float("nan"), float("inf")])
WHOLE = st.integers(-3, 20) | st.integers(-(2**62), 2**62)
RULES = {
    ("manifest", "phash", "every perceptual hash is 64 hexadecimal digits"): (
        HEX,
        lambda value: re.fullmatch("[0-9a-f]{64}", value) is not None,
    ),
    ("manifest", "mode", "every image has a mode"): (BLANKS | st.text(max_size=3), lambda value: value.strip() != ""),
    ("manifest", "brightness", "every brightness is from 0 to 255"): (
        NUMBERS,
        lambda value: np.isnan(value) or 0 <= value <= 255,
    ),
    ("manifest", "border", "every image has its border"): (NUMBERS, lambda value: not np.isnan(value)),
    ("manifest", "width", "the width is at least 16 pixels"): (WHOLE, lambda value: value >= 16),
    ("assignment", "target", "every target is 0 or 1"): (WHOLE, lambda value: value in (0, 1)),
    ("scores", "score", "every score of a run that did not diverge is from 0 to 1"): (
        NUMBERS,
        lambda value: np.isnan(value) or 0 <= value <= 1,
    ),
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule[0]}-{rule[1]}")
def test_a_check_finds_exactly_the_values_that_break_its_rule(rule) -> None:
    (table, column, words), (values, holds) = rule, RULES[rule]
    suites = data.suites(good.data_tables(), good.LABELS, good.QUOTAS, good.SHORTFALL, "strict") | scores.suites()
    (check,) = (check for check in suites[table] if check.description == words)
    row = good.every_table()[table].head(1)
    opened = open_tables([table])[table]

    @settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(values, min_size=1, max_size=30))
    def hold(drawn: list) -> None:
        frame = pd.concat([row] * len(drawn), ignore_index=True)
        frame[column] = pd.Series(drawn, dtype=frame[column].dtype)
        (result,) = validate(opened, frame, [check.copy(update={"id": None})])
        wrong = [number for number, value in enumerate(drawn) if not holds(value)]
        assert outcome(table, frame, result).rows == len(wrong)
        assert (result.result["unexpected_index_list"] or []) == wrong

    hold()


def lose(frame: pd.DataFrame, row: int) -> pd.DataFrame:
    return frame.drop(index=row)


def repeat(frame: pd.DataFrame, row: int) -> pd.DataFrame:
    return pd.concat([frame, frame.loc[[row]]])


def change(column: str, value: object) -> object:
    def changed(frame: pd.DataFrame, row: int) -> pd.DataFrame:
        old = frame.loc[row, column]
        frame.loc[row, column] = value(old) if callable(value) else value
        return frame

    return changed


DAMAGES = {  # what may befall a run's scores -> the checks that must say so
    lose: {"every run scores every image of its validation and test"},
    repeat: {"no run scores an image twice"},
    change("image_id", "zz"): {
        "every run scores every image of its validation and test",
        "no run scores an image outside its validation and test",
    },
    change("part", lambda part: "test" if part == "validation" else "validation"): {
        "every part is the one that the run's protocol gives"
    },
    change("part", "train"): {
        "every part is validation or test",
        "every part is the one that the run's protocol gives",
    },
    change("target", lambda target: 1 - target): {"every target is the assignment's"},
    change("patient_id", ""): {"every scored image has a patient", "every patient is the assignment's"},
    change("score", float("nan")): {"every image of a run that did not diverge has a score"},
    change("score", -0.1): {"every score of a run that did not diverge is from 0 to 1"},
}


@pytest.mark.parametrize("status", ["ok", "diverged"])
@pytest.mark.parametrize("damage", DAMAGES, ids=range(len(DAMAGES)))
def test_damaged_scores_fail_the_checks_that_are_there_for_it_and_name_run_and_image(damage, status) -> None:
    """Each of two runs has one row damaged; a run that diverged may say anything of an image it was asked for."""
    grid, runs, assignment = good.run_inputs()
    expected = {words for words in DAMAGES[damage] if status == "ok" or "did not diverge" not in words}
    names = []
    for (run, (record, table)), row in zip(list(runs.items()), (1, 3)):
        title = {"r1": "s, lr=1, seed 0", "r2": "s, lr=2, seed 0"}[run]
        names += [f"{title}: {table.loc[row, 'image_id']}", f"{title}: zz"]
        runs[run] = ({**record, "status": status}, damage(table, row).reset_index(drop=True))
    found = failures(scores.check_scores(grid, runs, assignment), "critical")
    assert {result.check for result in found} == expected
    for result in found:
        assert result.rows == (4 if damage is repeat else 2)
        assert {example.split(" [")[0] for example in result.examples} <= set(names)
