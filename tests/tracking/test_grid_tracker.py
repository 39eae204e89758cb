"""A grid is tracked setting by setting, and training never ends for a fault of tracking."""

import socket
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cxrbench.base.tables import TABLES
from cxrbench.config.setting import Setting
from cxrbench.config.studies import PlannedRun
from cxrbench.runs.outputs import grid_table
from cxrbench.runs.store import RunStore
from cxrbench.tracking import tracker
from cxrbench.tracking.grid_tracker import GridTracker
from cxrbench.tracking.mistakes import GREY
from tests.stages import fake_runs
from tests.tracking.tracked_runs import runs_by_name

PLANNED = [PlannedRun("rate", f"lr={lr}", Setting(lr=lr), seed) for lr in (0.1, 0.001) for seed in (0, 1)]


class Recorder:
    """What a tracker was asked to do; raises ``fault`` at the setting ``faulty``."""

    def __init__(self, faulty: str = "", fault: Exception | None = None) -> None:
        self.described: list[Any] = []
        self.settings: list[Any] = []
        self.best: list[Any] = []
        self.pictures: dict[str, Any] = {}
        self.faulty, self.fault = faulty, fault

    def describe(self, study: str, labels: list[str]) -> None:
        self.described.append((study, tuple(labels)))

    def log_setting(self, study: str, label: str, seed_runs: Any, draw: Any, picture: Any) -> None:
        if label == self.faulty and self.fault:
            raise self.fault
        self.settings.append((study, label, len(seed_runs)))
        self.pictures[label] = picture
        assert set(draw(seed_runs[0])) == {"curves"}
        assert 0 <= seed_runs[0].metrics["validation_accuracy"] <= 1

    def register_best(self, study: str, label: str, seed_run: Any) -> None:
        self.best.append((study, label, seed_run.folder.name))


def images() -> pd.DataFrame:
    ids = [f"i{k:02}" for k in range(60)]
    parts = ["train", "validation", "test"] * 20
    table = pd.DataFrame(dict.fromkeys(TABLES["assignment"], ""), index=range(60))
    target = [k // 3 % 2 for k in range(60)]
    sources = ["kaggle", "mimic"] * 30  # two, as the view network's images have
    own = {"cohort": "pneumonia", "source": sources, "image_id": ids, "sha256": ids, "patient_id": ids}
    return table.assign(**own, target=target, paper=parts, patient=parts)


class Grid:
    """A grid of four runs, and its tracker."""

    def __init__(self, folder: Path, restricted: set[str]) -> None:
        self.store, self.images = RunStore(folder / "runs"), images()
        self.table = grid_table(PLANNED, self.images)
        self.tracker = GridTracker(self.table, self.store, self.images, restricted)

    def train(self) -> None:
        for name, cell in dict(zip(self.table["run"], PLANNED)).items():
            accuracy = 0.5 if cell.setting.lr == 0.1 else 0.9 - cell.seed / 10
            if not self.store.has(name):
                fake_runs.write(self.store, name, cell, self.images, accuracy)
            self.tracker.on_run(name)
        self.tracker.finish([0, 1])


def opened(
    recorder: Recorder, folder: Path, monkeypatch: pytest.MonkeyPatch, restricted: frozenset[str] = frozenset()
) -> Grid:
    monkeypatch.setattr(tracker, "open_tracker", lambda: recorder)
    return Grid(folder, set(restricted))


def test_each_setting_is_logged_once_with_all_its_seeds_and_the_best_is_chosen_on_validation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    recorder = Recorder()
    grid = opened(recorder, tmp_path, monkeypatch)
    grid.train()
    assert recorder.described == [("rate", ("lr=0.1", "lr=0.001"))]
    assert recorder.settings == [("rate", "lr=0.1", 2), ("rate", "lr=0.001", 2)]
    assert recorder.best == [("rate", "lr=0.001", grid.table["run"][2])]
    assert "MLflow" not in capsys.readouterr().err


@pytest.mark.parametrize(("restricted", "expected"), [({"mimic"}, True), ({"covid"}, False)])
def test_a_picture_is_restricted_as_one_of_its_sources_is_and_names_a_file_that_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, restricted: set[str], expected: bool
) -> None:
    recorder = Recorder()
    opened(recorder, tmp_path, monkeypatch, frozenset(restricted)).train()
    assert {picture.restricted for picture in recorder.pictures.values()} == {expected}
    tile = recorder.pictures["lr=0.1"].draw().axes[0]
    assert (np.asarray(tile.images[0].get_array()) == GREY).all()  # no file lies where the table says
    assert tile.texts[0].get_text()


def test_a_failure_while_logging_is_said_at_once_and_at_the_end_and_training_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    recorder = Recorder("lr=0.001", OSError("No space left on http://me:secret@example.org\nand more"))
    opened(recorder, tmp_path, monkeypatch).train()
    assert recorder.settings == [("rate", "lr=0.1", 2)]
    assert recorder.best == []
    first, last = capsys.readouterr().err.splitlines()
    assert first == "MLflow failed: No space left on http://example.org; training goes on without tracking"
    assert "not logged: rate, lr=0.001" in last
    assert "dvc repro -f train-grid" in last


def test_a_failure_to_register_the_best_model_is_said_though_every_setting_is_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    recorder = Recorder()
    monkeypatch.setattr(recorder, "register_best", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    opened(recorder, tmp_path, monkeypatch).train()
    assert "the best model of each study is not registered" in capsys.readouterr().err.splitlines()[-1]


def test_a_silent_server_costs_seconds_and_the_next_time_logs_all_without_training(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    began = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as listener, monkeypatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{listener.getsockname()[1]}")
        Grid(workspace, set()).train()
    assert time.monotonic() - began < 40  # 5 s for the server, the rest for MLflow on a busy machine
    assert "not logged: rate, lr=0.1; rate, lr=0.001" in capsys.readouterr().err.splitlines()[-1]
    Grid(workspace, set()).train()
    assert len(runs_by_name(workspace, "rate")) == 6
