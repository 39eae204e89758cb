"""The tracker under faults, and two processes at once."""

import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cxrbench.base.errors import CxrbenchError
from cxrbench.tracking.tracker import Tracker, open_tracker
from cxrbench.tracking.waiting import RETRIES, TIMEOUT, Waiting
from tests.tracking.tracked_runs import STUDY, runs_by_name, seed_run


def test_a_store_that_can_not_be_used_is_one_sentence_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(CxrbenchError, match="MLFLOW_TRACKING_URI") as caught:
        Tracker("nosuch://me:secret@example.org/store", tmp_path, None, {})
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("kind", ["a folder that can't be made", "a file that is no database"])
def test_a_local_store_that_can_not_be_opened_is_one_sentence(tmp_path: Path, kind: str) -> None:
    (tmp_path / "file").write_text("no database, but long enough to be read as the header of one" * 9)
    place = tmp_path / "file" / ("mlflow.db" if kind.startswith("a folder") else "")
    with pytest.raises(CxrbenchError, match="MLFLOW_TRACKING_URI") as caught:
        Tracker(f"sqlite:///{place}", tmp_path / "lock", None, {})
    assert "\n" not in str(caught.value)


def test_a_new_store_that_the_disk_has_no_room_for_is_absent_and_not_half_there(tmp_path: Path) -> None:
    """A file in which MLflow's migrations ended half way is refused for good."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, limits[1]))
    try:
        with pytest.raises(CxrbenchError, match="can't be used"):
            Tracker(f"sqlite:///{tmp_path / 'mlflow.db'}", tmp_path, tmp_path / "artifacts", {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.glob("mlflow.db*")) == []


@pytest.fixture(params=["silent", "refused"])
def dead_server(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a server that takes connections and never answers, or of none at all."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        if request.param == "refused":
            listener.close()
        yield address


@pytest.fixture
def no_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (TIMEOUT, RETRIES):
        monkeypatch.delenv(name, raising=False)


def test_a_server_that_does_not_answer_is_said_within_seconds(
    dead_server: str, tmp_path: Path, no_limits: None
) -> None:
    began = time.monotonic()
    with pytest.raises(CxrbenchError, match=f"MLflow store {dead_server} can't be used"):
        Tracker(dead_server, tmp_path, None, {})
    assert time.monotonic() - began < 30  # 5 s, and what importing MLflow takes on a busy machine
    assert TIMEOUT not in os.environ
    assert RETRIES not in os.environ


def test_a_limit_that_the_user_has_set_stays(no_limits: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TIMEOUT, "77")
    with Waiting().at_most(seconds=5, retries=0):
        assert (os.environ[TIMEOUT], os.environ[RETRIES]) == ("77", "0")
    assert os.environ[TIMEOUT] == "77"
    assert RETRIES not in os.environ


def test_a_shorter_limit_inside_a_longer_one_ends_with_its_block(no_limits: None) -> None:
    waiting = Waiting()
    with waiting.at_most(seconds=30, retries=1):
        with waiting.at_most(seconds=5, retries=0):
            assert os.environ[TIMEOUT] == "5"
        assert os.environ[TIMEOUT] == "30"
    assert TIMEOUT not in os.environ


PROGRAM = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from tracked_runs import seed_run
from cxrbench.tracking.tracker import open_tracker
label, draw = sys.argv[1], lambda run: {{}}
if label == "killed":
    draw = lambda run: os.kill(os.getpid(), signal.SIGKILL)
tracker = open_tracker()
runs = Path(sys.argv[2])
for name in dict.fromkeys((label, "shared")):
    tracker.log_setting("learning-rate", name, [seed_run(runs, seed) for seed in (0, 1)], draw)
assert "tensorflow" not in sys.modules and "keras" not in sys.modules
"""


def start(workspace: Path, label: str) -> subprocess.Popen[str]:
    program = PROGRAM.format(tests=str(Path(__file__).parent))
    command = [sys.executable, "-c", program, label, str(workspace / "runs")]
    return subprocess.Popen(command, cwd=workspace, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.mark.slow
def test_two_processes_make_one_store_together_lose_no_run_and_say_nothing(workspace: Path) -> None:
    (workspace / "mlruns" / "mlflow.db").unlink()
    for seed in (0, 1):
        seed_run(workspace / "runs", seed)
    processes = [start(workspace, label) for label in ("one", "two")]
    assert [process.communicate()[0] for process in processes] == ["", ""]
    assert [process.returncode for process in processes] == [0, 0]
    labels = ("one", "two", "shared")
    expected = {*labels, *(f"{label} · seed {seed}" for label in labels for seed in (0, 1))}
    assert runs_by_name(workspace).keys() == expected


def test_a_run_of_a_killed_process_is_replaced(workspace: Path) -> None:
    process = start(workspace, "killed")
    process.communicate()
    assert process.returncode == -9
    assert {run.info.status for run in runs_by_name(workspace).values()} == {"RUNNING"}
    runs = [seed_run(workspace / "runs", seed) for seed in (0, 1)]
    open_tracker().log_setting(STUDY, "killed", runs)
    found = runs_by_name(workspace)
    assert {run.info.status for run in found.values()} == {"FINISHED"}
    assert found.keys() == {"killed", "killed · seed 0", "killed · seed 1"}
    assert found["killed"].data.params["lr"] == "0.001"
