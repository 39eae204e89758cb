"""A run's images do not depend on the order of a table; its hash depends on all that it sees."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.tables import TABLES
from cxrbench.runs import selection


def assignment(count=9):
    parts = ["train", "validation", "test"]
    rows = [
        {
            "cohort": "pneumonia", "source": "pneumonia", "image_id": f"i{k}", "path": f"/x/{k}", "sha256": f"{k:064}",
            "patient_id": f"p{k // 2}",
            "label": "normal", "target": k % 2, "paper": parts[k % 3], "patient": parts[k // 3 % 3], "official": "",
        }
        for k in range(count)
    ]  # fmt: skip
    return pd.DataFrame(rows)[list(TABLES["assignment"])]


@given(st.permutations(range(9)))
def test_the_order_of_the_table_changes_nothing(order):
    plain = selection.select(assignment(), "pneumonia", "paper")
    shuffled = selection.select(assignment().iloc[order], "pneumonia", "paper")
    assert plain.equals(shuffled)
    assert selection.data_sha256(plain) == selection.data_sha256(shuffled)


@pytest.mark.parametrize("column", ["source", "image_id", "sha256", "patient_id", "part", "target"])
def test_whatever_a_run_sees_is_in_the_hash(column):
    rows = selection.select(assignment(), "pneumonia", "paper")
    other = rows.copy()
    other.loc[0, column] = 1 - rows.loc[0, column] if column == "target" else "other"
    assert selection.data_sha256(rows) != selection.data_sha256(other)


def test_where_files_lie_is_not_in_the_hash():
    rows = selection.select(assignment(), "pneumonia", "paper")
    assert selection.data_sha256(rows) == selection.data_sha256(rows.assign(path="elsewhere"))


def test_a_part_without_images_is_an_error_that_names_it():
    with pytest.raises(CxrbenchError, match="'pneumonia' under protocol 'official' has no train images"):
        selection.select(assignment(), "pneumonia", "official")
