import pandas as pd
import pytest

from cxrbench.base.tables import PROTOCOLS, TABLES, empty
from cxrbench.reporting import data, words


def test_images_are_counted_by_class_part_and_protocol():
    parts = {name: ["train", "train", "test"] for name in PROTOCOLS}
    table = pd.DataFrame({"cohort": "c", "label": ["normal", "covid", "covid"], "target": [0, 1, 1], **parts})
    assert data.images(table).rows == [
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


def test_the_words_beside_a_study_name_its_own_protocols_shortcuts():
    rows = [["c", protocol, "border", 9, auc] for protocol, auc in (("paper", 0.61), ("patient", 0.5))]
    found = pd.DataFrame(rows, columns=list(TABLES["shortcuts"]))
    told = words.shortcut_text(found, {("c", "paper"), ("d", "patient")})
    assert told == "AUC on test that the files alone reach, no image looked at: protocol paper: border 0.610."
    assert words.shortcut_text(found, {("d", "paper")}) == ""
