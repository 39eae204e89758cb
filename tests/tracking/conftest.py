"""A workspace with an MLflow store whose tables are there."""

import shutil
from pathlib import Path

import pytest

from cxrbench.tracking.tracker import Tracker


@pytest.fixture(scope="module")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store whose tables are made; making them takes a second, copying them none."""
    folder = tmp_path_factory.mktemp("store")
    Tracker(f"sqlite:///{folder / 'mlflow.db'}", folder, folder / "artifacts", {})
    return folder / "mlflow.db"


@pytest.fixture
def workspace(tmp_path: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with an empty store, as the current folder."""
    for name in ("MLFLOW_TRACKING_URI", "DVC_EXP_NAME", "DVC_EXP_BASELINE_REV"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "mlruns").mkdir()
    shutil.copyfile(empty_store, tmp_path / "mlruns" / "mlflow.db")
    (tmp_path / "dvc.yaml").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path
