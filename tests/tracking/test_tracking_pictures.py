"""Pictures of a cohort in MLflow: logged once, and of a restricted cohort never on another machine."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from cxrbench.tracking import tracker
from cxrbench.tracking.logged import Picture
from cxrbench.tracking.tracker import Tracker, open_tracker
from tests.tracking.tracked_runs import LABEL, STUDY, client, runs_by_name, seed_run


class Drawn:
    """A figure of one flat grey that counts how often it was asked for."""

    def __init__(self, restricted: bool) -> None:
        from matplotlib.figure import Figure

        self.asked = 0
        self.figure: Any = Figure((1, 1), facecolor="#4d4d4d")
        self.picture = Picture(self.draw, restricted)

    def draw(self) -> Any:
        self.asked += 1
        return self.figure


SERVER = """
from mlflow.server import app
from werkzeug.serving import make_server
server = make_server("127.0.0.1", 0, app, threaded=True)
print(server.server_port, flush=True)
server.serve_forever()
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Iterator[tuple[str, Path]]:
    """MLflow's own server in a process of its own: its loopback address and the folder of what it was sent."""
    folder = tmp_path_factory.mktemp("server")
    shutil.copyfile(empty_store, folder / "mlflow.db")
    told = {
        "_MLFLOW_SERVER_FILE_STORE": f"sqlite:///{folder / 'mlflow.db'}",
        "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
        "_MLFLOW_SERVER_ARTIFACT_DESTINATION": str(folder / "sent"),
        "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
    }
    command, environment = [sys.executable, "-c", SERVER], {**os.environ, **told}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        assert port, (folder / "log").read_text()
        yield f"http://127.0.0.1:{port}", folder / "sent"
    finally:
        process.kill()
        process.communicate()


def log(server: tuple[str, Path], folder: Path, study: str, drawn: Drawn) -> tuple[Any, list[str]]:
    """Logs a setting with a picture; the parent run and the names of all files that the server was sent for it."""
    Tracker(server[0], folder, None, {}).log_setting(study, LABEL, [seed_run(folder, 0)], picture=drawn.picture)
    from mlflow import MlflowClient

    found = MlflowClient(server[0])
    experiment = found.get_experiment_by_name(study).experiment_id
    (parent,) = found.search_runs([experiment], "tags.identity LIKE '%'")
    files = [path.relative_to(server[1] / experiment) for path in (server[1] / experiment).rglob("*") if path.is_file()]
    assert not [path for path in files if path.parts[0] == "models" and path.suffix in (".png", ".npy")]
    return parent, sorted(path.name for path in files if path.parts[0] != "models")


def test_no_image_of_a_restricted_cohort_reaches_a_server_that_hands_files_on(
    server: tuple[str, Path], tmp_path: Path
) -> None:
    drawn = Drawn(restricted=True)
    parent, sent = log(server, tmp_path, "secret", drawn)
    assert sent == ["history.csv"]
    assert drawn.asked == 0
    assert parent.data.tags["mistakes"].startswith("withheld")


def test_restricted_false_sends_the_image_to_a_server(server: tuple[str, Path], tmp_path: Path) -> None:
    assert log(server, tmp_path, "open", Drawn(restricted=False))[1] == ["history.csv", "mistakes.png"]


def test_a_local_store_whose_artifacts_lie_elsewhere_gets_no_image(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client(workspace).create_experiment(STUDY, artifact_location="s3://bucket/experiment")
    monkeypatch.setattr(Tracker, "_log_seed", lambda *_: None)  # its history would ask for the bucket
    drawn = Drawn(restricted=True)
    open_tracker().log_setting(STUDY, LABEL, [seed_run(workspace, 0)], picture=drawn.picture)
    assert drawn.asked == 0
    assert runs_by_name(workspace)[LABEL].data.tags["mistakes"].startswith("withheld")


def test_a_picture_is_drawn_once_and_kept_when_logged_again(workspace: Path) -> None:
    drawn = Drawn(restricted=True)
    for _ in range(2):
        open_tracker().log_setting(STUDY, LABEL, [seed_run(workspace, 0)], picture=drawn.picture)
    assert drawn.asked == 1
    parent = runs_by_name(workspace)[LABEL]
    (logged,) = (workspace / "mlruns" / "artifacts" / STUDY / parent.info.run_id).rglob("*.png")
    with Image.open(logged) as image:
        assert image.getpixel((0, 0))[:3] == (77, 77, 77)


def test_a_setting_without_mistakes_is_not_asked_again(workspace: Path) -> None:
    drawn = Drawn(restricted=False)
    drawn.figure = None
    for _ in range(2):
        open_tracker().log_setting(STUDY, LABEL, [seed_run(workspace, 0)], picture=drawn.picture)
    assert drawn.asked == 1
    assert runs_by_name(workspace)[LABEL].data.tags["mistakes"] == "none"


def test_what_was_withheld_is_logged_once_the_parameter_allows_it(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(tracker, "stay_here", lambda *_: False)
        open_tracker().log_setting(STUDY, LABEL, [seed_run(workspace, 0)], picture=Drawn(restricted=True).picture)
    assert runs_by_name(workspace)[LABEL].data.tags["mistakes"].startswith("withheld")
    open_tracker().log_setting(STUDY, LABEL, [seed_run(workspace, 0)], picture=Drawn(restricted=False).picture)
    assert runs_by_name(workspace)[LABEL].data.tags["mistakes"] == "mistakes.png"
