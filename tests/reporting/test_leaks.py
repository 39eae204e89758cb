import pandas as pd

from cxrbench.base.tables import TABLES, empty
from cxrbench.reporting import leaks


def table(*rows, name="leaks"):
    return pd.DataFrame(rows, columns=list(TABLES[name]))


def test_a_protocol_and_kind_is_one_row_with_a_column_for_each_pair_of_parts():
    found = table(
        ["c", "paper", "parts", "train", "validation", "patient, strict", 1250, 1800, "p"],
        ["c", "paper", "parts", "test", "train", "patient, strict", 3, 4, "p"],
        ["c", "paper", "parts", "train", "test", "identical file", 1, 1, "i"],
        ["c", "official", "parts", "validation", "test", "near-duplicate", 0, 0, ""],
        ["c", "", "labels", "normal", "covid", "identical file", 1, 1, "i"],
    )
    assert leaks.parts(found).rows == [
        ["c", "paper", "patient, strict", "1,250 / 1,800", "3 / 4", "–"],
        ["c", "paper", "identical file", "–", "1 / 1", "–"],
    ]


def test_what_labels_share_stands_apart_with_a_few_examples():
    found = table(
        ["c", "", "labels", "normal", "covid", "near-duplicate", 1000, 2000, "a b c d e"],
        ["c", "", "labels", "normal", "covid", "identical file", 0, 0, ""],
        ["c", "paper", "parts", "train", "test", "identical file", 1, 1, "i"],
    )
    assert leaks.labels(found).rows == [["c", "normal and covid", "near-duplicate", "1,000", "2,000", "a b c"]]


def test_duplicates_are_counted_as_pairs_and_as_images():
    found = table(
        ["c", "a", "b", "near-duplicate", 3, 0.98, 1],
        ["c", "a", "x", "near-duplicate", 5, 0.97, 0],
        ["d", "a", "b", "identical file", 0, 1.0, 0],
        name="duplicates",
    )
    assert leaks.duplicates(found).rows == [
        ["c", "near-duplicate", "2", "3", "1", "a = b; a = x"],
        ["d", "identical file", "1", "2", "0", "a = b"],
    ]


def test_nothing_shared_gives_tables_without_rows():
    found = [leaks.parts(empty("leaks")), leaks.labels(empty("leaks")), leaks.duplicates(empty("duplicates"))]
    assert [one.rows for one in found] == [[], [], []]
