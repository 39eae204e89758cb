"""The order of the tests: files that take longest come first, so that the processes that share them end together."""

import pytest

LONGEST = (
    "test_smoke.py",
    "test_browser.py",
    "test_local.py",
    "test_workers.py",
    "test_report.py",
    "test_data_remote.py",
    "test_cli.py",
    "test_serving.py",
    "test_tracking_faults.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))
