"""The order of the tests, the clone that some of them share, and the table that `make torture` ends with.

Hypothesis times no example: a busy machine is not a slow function.
"""

import os
import re
import textwrap

import pytest
from filelock import FileLock
from hypothesis import settings

from tests.clone import PLANTED, SECRETS, copy_clone, run, tiny_clone

LONGEST = (  # files that take longest come first, so that the processes that share them end together
    "test_smoke.py",
    "test_browser.py",
    "test_local.py",
    "test_your_study.py",  # which copies the clone that test_smoke.py waits for
    "test_workers.py",
    "test_report.py",
    "test_data_remote.py",
    "test_cli.py",
    "test_serving.py",
    "test_tracking_faults.py",
)
# Folders and files that run whole stages, MLflow, a browser or trainings: `make unit` leaves them out.
SLOW = ("stages", "tracking", "attention", "test_browser.py", "test_fit.py", "test_heads.py")
HEADS = ("Tried", "How often", "Lost", "What the user is told")

# The same examples each time; `pytest --hypothesis-profile new` looks for others.
settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("new", deadline=None)
settings.load_profile("same")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if set(SLOW) & set(item.path.parts):
            item.add_marker("slow")
    items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory):
    """A folder that all processes of a test run share; who makes something there holds a lock meanwhile."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def finished_clone(shared_folder):
    """A tiny clone after its first `dvc repro`, made once for all processes: test_smoke.py alone works in it.

    What the command said lies beside it, in said.txt. A secret was planted in git and in the environment.
    """
    folder, copied = shared_folder / "finished" / "cxrbench", shared_folder / "finished-copy"
    with FileLock(shared_folder / "finished.lock"):
        if not copied.exists():
            folder.mkdir(parents=True)
            tiny_clone(folder)
            run(folder, "git", "remote", "add", "origin", f"https://nobody:{PLANTED}@example.org/cxrbench.git")
            said = run(folder, "dvc", "repro", **SECRETS)
            (folder.parent / "said.txt").write_text(said, encoding="utf-8")
            copy_clone(folder, shared_folder / "finished-copying").rename(copied)
    return folder


@pytest.fixture(scope="session")
def copy_of_finished(finished_clone, shared_folder):
    """Makes a copy of the clone as it was then, in a new folder."""

    def copy(folder):
        return copy_clone(shared_folder / "finished-copy", folder)

    return copy


def pytest_terminal_summary(terminalreporter) -> None:
    reports = [(outcome, one) for outcome in ("passed", "failed", "skipped", "error")
               for one in terminalreporter.stats.get(outcome, [])]  # fmt: skip
    rows = [
        row
        for outcome, report in reports
        if "torture" in getattr(report, "keywords", ())
        for row in _rows(report, outcome)
    ]
    if rows:
        terminalreporter.write_line("")
        for row in (HEADS, ("---",) * len(HEADS), *sorted(rows)):
            terminalreporter.write_line(f"| {' | '.join(row)} |")


def _rows(report, outcome) -> list[tuple[str, str, str, str]]:
    """Rows of the table: a trial that passed has lost nothing, and wrote what was tried itself."""
    name = _claim(report.nodeid)
    if outcome == "passed":
        return [
            (what, str(times), "nothing", told) for key, (what, times, told) in report.user_properties if key == "tried"
        ]
    if outcome == "skipped":
        return [(name, "0", "NOT TRIED", report.longrepr[2].removeprefix("Skipped: "))]
    return [(name, "", "SEE ABOVE", "")]


def _claim(nodeid) -> str:
    """The name of a trial in words, and its parameter."""
    name, _, parameter = nodeid.rpartition("::")[2].partition("[")
    return " ".join([name.removeprefix("test_").replace("_", " "), *([f"({parameter[:-1]})"] if parameter else [])])


@pytest.fixture
def tried(record_property, request):
    """Writes a row of the table: what was tried, how often, and what the user is told; without this machine's paths."""
    claim = _claim(request.node.originalname)

    def write(what, times, told):
        told = re.sub(r"[^\s'\"(]*/(?:cxrbench|site-packages)/", "", " ".join(told.split()).replace("|", "/"))
        record_property("tried", (f"{claim}: {what}", times, textwrap.shorten(told, 160, placeholder=" ...")))

    return write
