"""A grid is tracked setting by setting, and training never ends for a fault of tracking."""

import socket
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cxrbench.base.assignment import column_of
from cxrbench.config.setting import Setting
from cxrbench.tracking import tracker
from cxrbench.tracking.logged import setting_tags
from cxrbench.tracking.mistakes import GREY
from tests.tracking import small_grid
from tests.tracking.small_grid import HOW, NAMES, Grid
from tests.tracking.tracked_runs import runs_by_name


class Recorder:
    """What a tracker was asked to do; raises ``fault`` at the setting ``faulty``."""

    def __init__(self, faulty: str = "", fault: Exception | None = None) -> None:
        self.described: list[Any] = []
        self.settings: list[Any] = []
        self.best: list[Any] = []
        self.means: list[Any] = []
        self.pictures: dict[str, Any] = {}
        self.networks: list[Any] = []
        self.faulty, self.fault = faulty, fault

    def describe(self, study: str, labels: list[str]) -> None:
        self.described.append((study, tuple(labels)))

    def log_setting(self, study: str, label: str, seed_runs: Any, draw: Any, picture: Any) -> int:
        if label == self.faulty and self.fault:
            raise self.fault
        self.settings.append((study, label, len(seed_runs)))
        self.pictures[label] = picture
        self.networks += [one.network for one in seed_runs]
        assert set(draw(seed_runs[0])) == {"curves"}
        assert 0 <= seed_runs[0].metrics["validation_accuracy"] <= 1
        return len(seed_runs)

    def register_best(self, study: str, label: str, seed_run: Any, choice: Any) -> None:
        self.best.append((study, label, seed_run.folder.name, round(choice.accuracy, 3)))

    def would_register_mean(self, choice: Any) -> bool:
        return True

    def register_mean(self, study: str, label: str, mean: Any, choice: Any) -> None:
        assert mean.file.is_file()
        self.networks.append(mean.network)
        self.means.append((study, label, mean.seeds, round(choice.accuracy, 3), set(mean.metrics)))


def opened(
    recorder: Recorder, folder: Path, monkeypatch: pytest.MonkeyPatch, restricted: frozenset[str] = frozenset()
) -> Grid:
    monkeypatch.setattr(tracker, "open_tracker", lambda uri: recorder)
    return Grid(folder, set(restricted), monkeypatch)


def test_each_setting_is_logged_once_with_all_its_seeds_and_the_best_is_chosen_on_validation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    recorder = Recorder()
    grid = opened(recorder, tmp_path, monkeypatch)
    grid.train()
    grid.finish()
    assert recorder.described == [("rate", ("lr=0.1", "lr=0.001"))]
    assert recorder.settings == [("rate", "lr=0.1", 2), ("rate", "lr=0.001", 2)]
    assert recorder.best == [("rate", "lr=0.001", grid.table["run"][2], 0.9)]
    ((*what, metrics),) = recorder.means
    assert what == ["rate", "lr=0.001", "0, 1", 0.8]  # where they differ the mean is 0.5, which wrongly calls 1
    assert {"validation_auc", "test_accuracy"} <= metrics
    assert capsys.readouterr().err == ""


def test_each_network_knows_how_it_is_used_and_takes_the_view_network_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "view.keras").touch()
    recorder = Recorder()
    grid = opened(recorder, tmp_path, monkeypatch)
    grid.train()
    grid.finish()
    *_, mean = recorder.networks
    assert len(recorder.networks) == 5
    assert {network.view for network in recorder.networks} == {tmp_path / "view.keras"}
    assert {(one.usage.negative, one.usage.positive) for one in recorder.networks} == {("normal", "pneumonia")}
    assert mean.usage.threshold in (0.5, 0.9)  # one of the mean's scores
    (tmp_path / "view.keras").unlink()
    recorder = Recorder()
    grid = opened(recorder, tmp_path, monkeypatch)
    grid.train()
    grid.finish()
    assert {network.view for network in recorder.networks} == {None}


def test_a_setting_of_which_a_run_failed_is_logged_at_the_end_with_its_other_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    recorder = Recorder()
    grid = opened(recorder, tmp_path, monkeypatch)
    grid.train(0, 3)
    grid.finish()
    assert recorder.settings == [("rate", "lr=0.1", 2), ("rate", "lr=0.001", 1)]
    assert [label for _, label, *_ in recorder.best] == ["lr=0.1"]  # the only one with all seeds
    assert capsys.readouterr().err == ""


def test_a_grid_of_which_nothing_was_trained_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened(Recorder(), tmp_path, monkeypatch).finish()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("restricted", "expected"), [({"mimic"}, True), ({"covid"}, False)])
def test_a_picture_is_restricted_as_one_of_its_sources_is_and_names_a_file_that_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, restricted: set[str], expected: bool
) -> None:
    recorder = Recorder()
    grid = opened(recorder, tmp_path, monkeypatch, frozenset(restricted))
    grid.train()
    grid.finish()
    assert {picture.restricted for picture in recorder.pictures.values()} == {expected}
    tile = recorder.pictures["lr=0.1"].draw().axes[0]
    assert (np.asarray(tile.images[0].get_array()) == GREY).all()  # no file lies where the table says
    assert tile.texts[0].get_text()


def test_a_failure_while_logging_is_said_at_once_and_what_is_missing_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    recorder = Recorder("lr=0.1", OSError("No space left on http://me:secret@example.org\nand more"))
    grid = opened(recorder, tmp_path, monkeypatch)
    grid.train()
    grid.finish()
    assert recorder.settings == [("rate", "lr=0.001", 2)]  # one setting's fault is not the next one's
    first, last = capsys.readouterr().err.splitlines()
    failed = "MLflow failed: No space left on http://example.org"
    assert first == f"{failed}; training goes on, and logging is tried again with the next run"
    assert last == f"{failed}; not logged: rate, lr=0.1. {HOW}"


def test_what_failed_is_logged_with_the_next_run_once_mlflow_works_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    recorder = Recorder("lr=0.1", OSError("database is locked"))
    grid = opened(recorder, tmp_path, monkeypatch)
    grid.train(0, 2)
    for _ in range(100):
        if "locked" in (said := capsys.readouterr().err):
            break
        time.sleep(0.05)
    assert "locked" in said
    recorder.fault = None
    grid.train(2)
    grid.finish()
    assert {label for _, label, _ in recorder.settings} == {"lr=0.1", "lr=0.001"}
    assert len(recorder.best) == 1
    assert capsys.readouterr().err == ""


def test_a_failure_to_register_the_best_model_is_said_though_every_setting_is_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    recorder = Recorder()
    monkeypatch.setattr(recorder, "register_best", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    grid = opened(recorder, tmp_path, monkeypatch)
    grid.train()
    grid.finish()
    expected = f"MLflow failed: disk full; the best models of the studies are not registered. {HOW}"
    assert capsys.readouterr().err.splitlines() == [expected]


def test_a_silent_server_costs_training_nothing_and_the_end_seconds_and_the_next_time_logs_all(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, monkeypatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{listener.getsockname()[1]}")
        patch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")  # 5 where the user says nothing; see test_tracking_faults.py
        began = time.monotonic()
        grid = Grid(workspace, set(), monkeypatch)
        grid.train()
        assert time.monotonic() - began < 2
        grid.finish()
    assert time.monotonic() - began < 40  # 1 s for the server, twice, the rest for MLflow on a busy machine
    assert "not logged: rate, lr=0.1; rate, lr=0.001" in capsys.readouterr().err.splitlines()[-1]
    again = Grid(workspace, set(), monkeypatch)
    again.train()
    again.finish()
    assert runs_by_name(workspace, "rate").keys() == NAMES


def test_of_redrawn_splits_each_run_has_its_own_data_and_no_mean_network_is_registered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = small_grid.images()
    parts = table["paper"].tolist()
    columns = {column_of("paper", True, seed): parts[seed + 1 :] + parts[: seed + 1] for seed in (0, 1)}
    planned = [replace(one, setting=Setting(lr=one.setting.lr, redraw=True)) for one in small_grid.PLANNED]
    monkeypatch.setattr(small_grid, "images", lambda: table.assign(**columns))
    monkeypatch.setattr(small_grid, "PLANNED", planned)
    recorder = Recorder()
    grid = opened(recorder, tmp_path, monkeypatch)
    data: list[Any] = []
    identities: list[set[str]] = []
    log_setting = recorder.log_setting

    def remember(study: str, label: str, seed_runs: Any, *rest: Any) -> int:
        data.append([one.data[0].name for one in seed_runs])
        identities.append({setting_tags(study, label, one)["identity"] for one in seed_runs})
        return log_setting(study, label, seed_runs, *rest)

    monkeypatch.setattr(recorder, "log_setting", remember)
    grid.train()
    grid.finish()
    assert data == [["pneumonia/paper, seed 0/train", "pneumonia/paper, seed 1/train"]] * 2
    assert [len(found) for found in identities] == [1, 1]  # whichever run is best, its parent is found
    assert len(recorder.best) == 1
    assert recorder.means == []
