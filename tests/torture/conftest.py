"""Torture: what breaks on real machines is broken here on purpose (`make torture`), and nothing may be lost by it.

Each trial asserts that nothing was lost, and says what was tried, how often, and what the user was told; the table of
it stands at the end (tests/conftest.py) and in docs/explanation/torture.md.
"""

from pathlib import Path

import pytest
from filelock import FileLock

from tests.torture.study import Study

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.torture)


@pytest.fixture(scope="session")
def finished(shared_folder):
    """A study after `dvc repro`, made once for all processes: to copy, not to work in."""
    folder = shared_folder / "finished-study" / "cxrbench"
    with FileLock(shared_folder / "finished-study.lock"):
        if not (folder.parent / "done").exists():
            folder.parent.mkdir()
            Study.made(folder)
            (folder.parent / "done").touch()
    return Study(folder)


@pytest.fixture
def study(finished, tmp_path):
    """A copy of the finished study."""
    return finished.copy(tmp_path / "copy" / "cxrbench")
