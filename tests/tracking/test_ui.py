"""'mlflow ui' in a real browser: a study's page and a run's picture open, without an error and without the network."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser import becomes, broken_images, chromium, opened
from tests.tracking.tracked_runs import LABEL, STUDY, client, runs_by_name, seed_run

pytestmark = pytest.mark.slow

START_S, SHOW_S = 120, 60
NO_ACCOUNTS = "/ajax-api/2.0/mlflow/users/current"  # MLflow 3.17 asks it of every server; one without accounts: 404


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


@pytest.fixture
def ui(browser: Any, workspace: Path) -> Iterator[str]:
    """The address of 'mlflow ui' over a store with one setting, its two seeds and its picture."""
    from cxrbench.tracking.tracker import open_tracker
    from tests.tracking.test_tracking_pictures import Drawn

    seeds = [seed_run(workspace, seed) for seed in (0, 1)]
    open_tracker().log_setting(STUDY, LABEL, seeds, picture=Drawn(restricted=False).picture)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    store = f"sqlite:///{workspace / 'mlruns' / 'mlflow.db'}"
    command = [sys.executable, "-m", "mlflow", "ui", "--workers", "1", "--host", "127.0.0.1", "--port", port]
    environment = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
    with (workspace / "log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--backend-store-uri", store],
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        address = f"http://127.0.0.1:{port}"
        assert _answers(f"{address}/health", process), (workspace / "log").read_text()
        yield address
    finally:
        os.killpg(process.pid, 9)  # it starts processes of its own
        process.wait()


def _answers(address: str, process: subprocess.Popen) -> bool:
    until = time.monotonic() + START_S
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    return False


def test_a_studys_page_and_a_runs_picture_open_without_an_error(browser: Any, ui: str, workspace: Path) -> None:
    experiment = client(workspace).get_experiment_by_name(STUDY).experiment_id
    parent = runs_by_name(workspace)[LABEL].info.run_id

    def here(url: str) -> bool:
        return url.startswith((f"{ui}/", "data:", f"blob:{ui}/"))

    # The address names the view of trained runs, which a person chooses once at the top left.
    study = f"{ui}/#/experiments/{experiment}/runs?workflowType=machine_learning"
    with opened(browser, study, here, viewport={"width": 1440, "height": 900}) as (page, wrong):
        assert becomes(page, f"document.body.innerText.includes('{LABEL}')", SHOW_S), page.inner_text("body")
        assert broken_images(page) == []
        page.goto(f"{ui}/#/experiments/{experiment}/runs/{parent}/artifacts/mistakes.png")
        shown = "[...document.images].some(one => one.complete && one.naturalWidth > 50)"
        assert becomes(page, shown, SHOW_S), page.inner_text("body")
        assert broken_images(page) == []
        assert [one for one in wrong if NO_ACCOUNTS not in one] == []
