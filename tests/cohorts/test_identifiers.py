"""Identifiers after a spreadsheet or pandas took them for numbers."""

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrbench.base.errors import CxrbenchError
from cxrbench.cohorts.identifiers import identifier, identifiers, one_row_each


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("50000001", "50000001"),
        ("50000001.0", "50000001"),
        ("50000001.", "50000001"),
        ("50000001.00", "50000001"),
        ("5.0000001e7", "50000001"),
        ("5.0000001E+07", "50000001"),
        ("5.00000010e+07", "50000001"),
        (" p1 ", "p1"),
        ("007", "007"),
        ("1.5", "1.5"),
        ("1.2.840.113619", "1.2.840.113619"),
        ("5e7", "5e7"),  # a code of letters and digits
        ("02aa804e-bde0afdd", "02aa804e-bde0afdd"),
        ("nan", ""),
        ("NaN", ""),
        ("<NA>", ""),
        ("None", ""),
        ("", ""),
    ],
)
def test_a_whole_number_is_the_same_identifier_in_every_notation(text, meant):
    assert identifier(text) == meant


@pytest.mark.parametrize(
    "text", ["5.0e7", "5E+07", "5.00E+07", "1.2e+10", "12345678901234568.0", "1.2345678901234568e+16"]
)
def test_a_rounded_number_is_no_identifier(text):
    assert identifier(text) is None
    cells = pd.Series(["1", text], index=[2, 3])
    with pytest.raises(CxrbenchError, match=r"t\.csv has subject_id .* in line 3, a rounded number"):
        identifiers(cells, "subject_id", Path("t.csv"))


@given(st.integers(0, 2**53 - 1))
def test_what_pandas_makes_of_a_number_is_read_back_or_refused_but_never_another(number):
    assert identifier(str(float(number))) in (str(number), None)
    assert identifier(f"{number}.0") == str(number)


def test_rows_that_agree_are_one_and_rows_that_disagree_are_named(tmp_path):
    rows = pd.DataFrame({"id": ["1", "1", "2"], "label": ["x", "x", "y"]}, index=[2, 3, 4])
    assert list(one_row_each(rows, "id", ["label"], Path("t.csv"))["id"]) == ["1", "2"]
    rows.loc[5] = ("1", "y")
    with pytest.raises(CxrbenchError, match="has id '1' twice, with label 'x' in line 2 and 'y' in line 5"):
        one_row_each(rows, "id", ["label"], Path("t.csv"))
