import pandas as pd

from cxrbench.manifest import PROTOCOLS, empty
from cxrbench.reporting import data


def test_images_are_counted_by_class_part_and_protocol():
    parts = {name: ["train", "train", "test"] for name in PROTOCOLS}
    table = pd.DataFrame({"cohort": "c", "label": ["normal", "covid", "covid"], "target": [0, 1, 1], **parts})
    assert data.images(table).rows[:2] == [
        ["c", "paper", "normal", "1", "0", "0"],
        ["c", "paper", "covid", "1", "0", "1"],
    ]


def test_nothing_found_gives_tables_without_rows():
    found = [data.leaks(empty("leaks")), data.rejects(empty("rejects")), data.checks({}), data.view_filter({})]
    assert [table.rows for table in found] == [[], [], [], []]


def test_only_failed_checks_are_listed_and_all_are_counted():
    outcome = {"severity": "warning", "table": "leaks", "check": "x", "rows": 1234}
    verdict = {"checks": 2, "critical_failures": 0, "warnings": 1,
               "outcomes": [{**outcome, "passed": True}, {**outcome, "passed": False}]}  # fmt: skip
    table = data.checks(verdict)
    assert table.rows == [["warning", "leaks", "x", "1,234"]]
    assert table.note.startswith("2 checks: 0 critical failures, 1 warnings")
