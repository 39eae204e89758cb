"""Torture: what breaks on real machines is broken here on purpose (`make torture`), and nothing may be lost by it.

Each trial asserts that nothing was lost, and says what was tried, how often, and what the user was told; the table of
it stands at the end, also in docs/explanation/torture.md.
"""

from pathlib import Path

import pytest
from filelock import FileLock

from tests.torture.study import Study

HERE = Path(__file__).parent
HEADS = ("Tried", "How often", "Lost", "What the user is told")


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.torture)


@pytest.fixture(scope="session")
def finished(tmp_path_factory, worker_id):
    """A study after `dvc repro`, made once for all processes; trials work on copies."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "finished" / "cxrbench"
    with FileLock(f"{folder.parent}.lock"):
        done = folder.parent / "done"
        if not done.exists():
            folder.parent.mkdir(exist_ok=True)
            Study.made(folder)
            done.touch()
    return Study(folder)


@pytest.fixture
def study(finished, tmp_path):
    """A copy of the finished study."""
    return finished.copy(tmp_path / "copy" / "cxrbench")


@pytest.fixture
def tried(record_property):
    """Writes a row of the table: what was tried, how often, and what the user is told."""

    def write(what, times, told):
        record_property("tried", (what, times, " ".join(told.split())))

    return write


def pytest_terminal_summary(terminalreporter):
    rows = []
    for outcome in ("passed", "failed", "skipped"):
        for report in terminalreporter.stats.get(outcome, []):
            if "torture" in report.nodeid:
                rows += _rows(report, outcome)
    if rows:
        terminalreporter.write_line("")
        for row in (HEADS, ("---",) * len(HEADS), *sorted(rows)):
            terminalreporter.write_line(f"| {' | '.join(map(str, row))} |")


def _rows(report, outcome):
    if outcome == "passed":
        found = [value for name, value in report.user_properties if name == "tried"]
        return [(what, times, "nothing", told) for what, times, told in found]
    if outcome == "skipped":
        return [(report.nodeid.rpartition("::")[2], 0, "not tried here", str(report.longrepr[2]))]
    return [(report.nodeid.rpartition("::")[2], "", "SEE ABOVE", "")]
