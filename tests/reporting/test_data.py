import pandas as pd
import pytest

from cxrbench.base.tables import PROTOCOLS, TABLES, empty
from cxrbench.reporting import data


def test_images_are_counted_by_class_part_and_protocol():
    parts = {name: ["train", "train", "test"] for name in PROTOCOLS}
    table = pd.DataFrame({"cohort": "c", "label": ["normal", "covid", "covid"], "target": [0, 1, 1], **parts})
    assert data.image_counts(table).rows == [
        ["c", protocol, "normal + covid", "1 + 1", "0 + 0", "0 + 1"] for protocol in PROTOCOLS
    ]


def test_nothing_found_gives_tables_without_rows():
    found = [data.shortcuts(empty("shortcuts")), data.rejects(empty("rejects")), data.checks({}), *data.view_filter({})]
    assert [table.rows for table in found] == [[], [], [], []]


def test_only_failed_checks_are_listed_and_all_are_counted():
    outcome = {"severity": "warning", "table": "leaks", "check": "x", "rows": 1234}
    verdict = {"checks": 2, "critical_failures": 0, "warnings": 1,
               "outcomes": [{**outcome, "passed": True}, {**outcome, "passed": False}]}  # fmt: skip
    table = data.checks(verdict)
    assert table.rows == [["warning", "leaks", "x", "1,234"]]
    assert table.note.startswith("2 checks: 0 critical failures, 1 warnings")


@pytest.mark.parametrize("by_seed", [list, lambda rows: {f"seed_{i}": row for i, row in enumerate(rows)}])
def test_the_view_filters_errors_are_a_table_with_a_row_a_seed(by_seed):
    errors = by_seed([{"frontal_called_lateral": 2, "lateral": 1200}, {"frontal_called_lateral": 0, "lateral": 1200}])
    figures, table = data.view_filter({"images": 1000, "validation_accuracy": 0.98765, "errors": errors, "none": None})
    assert figures.rows == [["images", "1,000"], ["validation accuracy", "0.9877"], ["none", "–"]]
    assert table.heads == ("Seed", "Frontal called lateral", "Lateral")
    assert table.rows == [["0", "2", "1,200"], ["1", "0", "1,200"]]


def test_a_strong_shortcut_is_marked_in_either_direction():
    values = {"file size": 0.76, "pixel area": 0.75, "border": 0.24, "aspect ratio": 0.25, "colour mode": float("nan")}
    rows = [["c", "paper", feature, 500, auc] for feature, auc in values.items()]
    table = data.shortcuts(pd.DataFrame(rows, columns=list(TABLES["shortcuts"])))
    assert table.heads[3:] == ("File size", "Pixel area", "Border", "Aspect ratio", "Colour mode")
    assert table.rows == [["c", "paper", "500", "0.760", "0.750", "0.240", "0.250", "–"]]
    assert table.marked == [(0, 3), (0, 5)]


def rows_of(*rows, name="leaks"):
    return pd.DataFrame(rows, columns=list(TABLES[name]))


def test_a_protocol_and_kind_is_one_row_with_a_column_for_each_pair_of_parts():
    found = rows_of(
        ["c", "paper", "parts", "train", "validation", "patient, strict", 1250, 1800, "p"],
        ["c", "paper", "parts", "test", "train", "patient, strict", 3, 4, "p"],
        ["c", "paper", "parts", "train", "test", "identical file", 1, 1, "i"],
        ["c", "official", "parts", "validation", "test", "near-duplicate", 0, 0, ""],
        ["c", "", "labels", "normal", "covid", "identical file", 1, 1, "i"],
    )
    assert data.leaks_between_parts(found).rows == [
        ["c", "paper", "patient, strict", "1,250 / 1,800", "3 / 4", "–"],
        ["c", "paper", "identical file", "–", "1 / 1", "–"],
    ]


def test_what_labels_share_stands_apart_with_a_few_examples():
    found = rows_of(
        ["c", "", "labels", "normal", "covid", "near-duplicate", 1000, 2000, "a b c d e"],
        ["c", "", "labels", "normal", "covid", "identical file", 0, 0, ""],
        ["c", "paper", "parts", "train", "test", "identical file", 1, 1, "i"],
    )
    assert data.leaks_between_labels(found).rows == [
        ["c", "normal and covid", "near-duplicate", "1,000", "2,000", "a b c"]
    ]


def test_duplicates_are_counted_as_pairs_and_as_images():
    found = rows_of(
        ["c", "a", "b", "near-duplicate", 3, 0.98, 1],
        ["c", "a", "x", "near-duplicate", 5, 0.97, 0],
        ["d", "a", "b", "identical file", 0, 1.0, 0],
        name="duplicates",
    )
    assert data.duplicates(found).rows == [
        ["c", "near-duplicate", "2", "3", "1", "a = b; a = x"],
        ["d", "identical file", "1", "2", "0", "a = b"],
    ]


def test_nothing_shared_gives_tables_without_rows():
    found = [
        data.leaks_between_parts(empty("leaks")),
        data.leaks_between_labels(empty("leaks")),
        data.duplicates(empty("duplicates")),
    ]
    assert [one.rows for one in found] == [[], [], []]
