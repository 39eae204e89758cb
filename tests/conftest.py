"""The order of the tests: files that take longest come first, so that the processes that share them end together.

Hypothesis times no example: a busy machine is not a slow function.
"""

import pytest
from hypothesis import settings

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

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))
