"""Whatever befalls MLflow, training ends well, a sentence says what is missing, and ``cxrbench track`` logs it."""

import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cxrbench.base.errors import CxrbenchError
from cxrbench.tracking import grid_tracker
from tests.tracking.small_grid import HOW, NAMES, Grid, content, forget_stores
from tests.tracking.tracked_runs import runs_by_name

CALLS = [
    "search_experiments", "get_experiment_by_name", "create_experiment", "set_experiment_tag", "search_runs",
    "create_run", "log_inputs", "create_logged_model", "finalize_logged_model", "log_outputs", "log_batch",
    "log_artifact", "log_figure", "set_terminated", "set_tag", "search_registered_models", "create_registered_model",
    "search_model_versions", "create_model_version", "set_registered_model_alias",
]  # fmt: skip


def trained(grid: Grid, first: int = 0) -> float:
    """Trains the grid from ``first`` on; the seconds that tracking cost."""
    began = time.monotonic()
    grid.train(first)
    grid.finish()
    return time.monotonic() - began


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """The last line, which says what is not logged; before it there is at most one, and no traceback of MLflow's."""
    *before, last = capsys.readouterr().err.splitlines()
    assert last.endswith(HOW)
    assert len(before) <= 1
    return last


def join_trackers() -> None:
    """Waits until nothing logs any more: what a late thread says would be taken for the next test's."""
    for thread in threading.enumerate():
        if thread.name == "MLflow":
            thread.join()


@pytest.mark.parametrize("call", CALLS)
def test_an_exception_in_any_call_of_mlflow_costs_no_training_and_is_made_good(
    call: str, workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from matplotlib.figure import Figure
    from mlflow import MlflowClient

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(f"no {call}")

    monkeypatch.setattr("cxrbench.tracking.grid_log.draw_run", lambda *_: Figure((1, 1)))  # drawn quickly
    grid = Grid(workspace, set(), monkeypatch)
    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, call, fail)
        trained(grid)
    assert f"no {call}" in said(capsys)
    outcome = grid.log_missing()
    assert outcome.new + outcome.known == 4
    found = runs_by_name(workspace, "rate")
    assert found.keys() == NAMES
    assert {run.info.status for run in found.values()} == {"FINISHED"}
    uri = f"sqlite:///{workspace / 'mlruns' / 'mlflow.db'}"
    models = MlflowClient(uri, registry_uri=uri)
    assert models.get_registered_model("cxrbench-rate").aliases.keys() == {"best", "best-mean"}
    again = grid.log_missing()
    assert (again.new, again.known) == (0, 4)


def test_a_call_that_never_returns_keeps_neither_training_nor_the_end_waiting(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from mlflow import MlflowClient

    released = threading.Event()
    monkeypatch.setattr(MlflowClient, "create_run", lambda *_, **__: released.wait())
    monkeypatch.setattr(grid_tracker, "PATIENCE_S", 3)
    try:
        assert trained(Grid(workspace, set(), monkeypatch)) < 10
        assert said(capsys).startswith("MLflow did nothing for 3 s; not logged: rate, lr=0.1; rate, lr=0.001")
    finally:
        released.set()
        join_trackers()


HOLD = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('begin exclusive'); print(); sys.stdin.read()"


@pytest.mark.slow
def test_a_database_that_another_process_locks_is_waited_for_beside_training_alone(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(grid_tracker, "PATIENCE_S", 3)
    command = [sys.executable, "-c", HOLD, str(workspace / "mlruns" / "mlflow.db")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        assert holder.stdin
        holder.stdout.readline()
        grid = Grid(workspace, set(), monkeypatch)
        assert trained(grid) < 15
        assert "not logged: rate, lr=0.1; rate, lr=0.001" in said(capsys)
        holder.stdin.close()
    join_trackers()  # what waits for the lock goes on now, as in a stage that takes longer
    grid.log_missing()
    assert runs_by_name(workspace, "rate").keys() == NAMES


@contextmanager
def nobody() -> Iterator[None]:
    """A user who may not write what only its owner may: root is none."""
    mine = os.geteuid()
    if mine == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(mine)


def test_a_database_that_may_only_be_read_costs_no_training(
    empty_store: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with tempfile.TemporaryDirectory() as name:  # below a folder that anybody may enter, as pytest's own is not
        folder = Path(name)
        (folder / "mlruns").mkdir()
        database = folder / "mlruns" / "mlflow.db"
        database.write_bytes(empty_store.read_bytes())
        (folder / "dvc.yaml").touch()
        for path, mode in ((folder, 0o777), (folder / "mlruns", 0o777), (database, 0o444)):
            path.chmod(mode)
        monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
        monkeypatch.chdir(folder)
        with nobody():
            trained(Grid(folder, set(), monkeypatch))
        assert "attempt to write a readonly database" in said(capsys)
        database.chmod(0o666)
        forget_stores()  # the command is a process of its own
        grid = Grid(folder, set(), monkeypatch)
        assert grid.log_missing().new == 4
        monkeypatch.chdir("/")


@contextmanager
def full_disk(largest_bytes: int) -> Iterator[None]:
    """No file may grow beyond ``largest_bytes``; as on a full disk, a write beyond ends with an error."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, old)


@pytest.mark.parametrize("full", ["database", "artifacts"])
def test_a_full_disk_while_logging_costs_no_training(
    full: str, workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    size = (workspace / "mlruns" / "mlflow.db").stat().st_size
    grid = Grid(workspace, set(), monkeypatch)
    with monkeypatch.context() as patch:
        if full == "artifacts":  # a figure that is larger than the database has become by then
            patch.setattr("cxrbench.tracking.grid_log.draw_run", noisy_figure)
        with full_disk(size + (4096 if full == "database" else 2**20)):
            trained(grid)
    assert "not logged: rate, lr=0.1; rate, lr=0.001" in said(capsys)
    outcome = grid.log_missing()
    assert outcome.new + outcome.known == 4
    assert runs_by_name(workspace, "rate").keys() == NAMES


def noisy_figure(*_: object) -> object:
    """A figure of some megabytes."""
    import numpy as np
    from matplotlib.figure import Figure

    figure = Figure((20, 20))
    figure.subplots().imshow(np.random.default_rng(0).random((2000, 2000)))
    return figure


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


class Server:
    """``mlflow server`` with all its processes, on loopback."""

    def __init__(self, folder: Path, port: int) -> None:
        self.uri = f"http://127.0.0.1:{port}"
        database, artifacts = f"sqlite:///{folder / 'server.db'}", str(folder / "server-artifacts")
        arguments = ["--backend-store-uri", database, "--artifacts-destination", artifacts, "--workers", "1"]
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), *arguments]
        self._log = (folder / "server.log").open("a")
        self._process = subprocess.Popen(command, stdout=self._log, stderr=self._log, start_new_session=True)
        for _ in range(240):
            try:
                urllib.request.urlopen(f"{self.uri}/health", timeout=5)
                return
            except OSError:
                time.sleep(0.5)
        self.kill()
        raise AssertionError((folder / "server.log").read_text())

    def kill(self) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._log.close()


@pytest.mark.torture
def test_a_server_killed_in_the_middle_of_a_setting_costs_no_training_and_nothing_is_logged_twice(
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tried: Callable[[str, int, str], None],
) -> None:
    """In short it is each parameter of test_an_exception_in_any_call_of_mlflow_..., without a server."""
    port = free_port()
    server = Server(workspace, port)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.uri)
    grid = Grid(workspace, set(), monkeypatch)
    draw = grid_tracker.GridLog._draw
    drawn = []

    def kill_at_the_fourth(self: object, seed_run: object) -> object:
        drawn.append(seed_run)
        if len(drawn) == 4:  # the second seed of the second setting: its run is begun, its figure not logged
            server.kill()
        return draw(self, seed_run)  # type: ignore[arg-type]

    monkeypatch.setattr(grid_tracker.GridLog, "_draw", kill_at_the_fourth)
    trained(grid)
    assert len(drawn) >= 4
    told = said(capsys)
    assert "not logged: rate, lr=0.001" in told
    with pytest.raises(CxrbenchError, match="can't be used"):
        grid.log_missing()
    server = Server(workspace, port)
    try:
        outcome = grid.log_missing()
        assert (outcome.new, outcome.known) == (1, 3)
        found = content(server.uri)
        assert found["runs"].keys() == NAMES
        assert {run["times"][0] for run in found["runs"].values()} == {"FINISHED"}
        assert len(found["models"]) == 5
        assert (grid.log_missing().new, content(server.uri)) == (0, found)
        tried("an MLflow server is killed while runs are logged to it", 1, told.replace(server.uri, "http://..."))
    finally:
        server.kill()


def test_a_store_that_can_not_be_reached_is_one_sentence_of_the_command(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grid = Grid(workspace, set(), monkeypatch)
    trained(grid)  # to its own store, so that the command alone calls MLflow below
    with pytest.raises(CxrbenchError, match=r"not logged: rate, lr=0\.1; rate, lr=0\.001") as caught:
        grid.log_missing(f"http://me:secret@127.0.0.1:{free_port()}")
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)
