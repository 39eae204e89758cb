"""What outlasts an experiment lies in the user's own workspace, wherever DVC runs the experiment."""

import pytest

from cxrbench.base import workspace

VARIABLES = ("CXRBENCH_STORE", "CXRBENCH_FETCHED", "MLFLOW_TRACKING_URI")


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """DVC's copy of the workspace ``tmp_path``, as the current folder."""
    (tmp_path / "dvc.yaml").touch()
    copy = tmp_path / ".dvc" / "tmp" / "exps" / "tmpabc"
    (copy / "data").mkdir(parents=True)
    (copy / "dvc.yaml").touch()
    monkeypatch.chdir(copy)
    return copy


def test_a_queued_experiment_reaches_the_workspaces_own_stores(tmp_path, copy, monkeypatch):
    stores = []
    for folder in (tmp_path, copy, copy / "data"):
        monkeypatch.chdir(folder)
        stores.append((workspace.run_store_dir(), workspace.tracking_uri(), workspace.resolve("../images")))
    assert len(set(stores)) == 1
    assert stores[0][0] == tmp_path / ".cxrbench" / "runs"
    assert stores[0][1] == f"sqlite:///{tmp_path}/mlruns/mlflow.db"
    assert stores[0][2] == tmp_path.parent / "images"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("sqlite:///own.db", "sqlite:///{here}/own.db"),
        ("sqlite:///./a/own.db?timeout=9", "sqlite:///{here}/a/own.db?timeout=9"),
        ("sqlite+pysqlite:///own.db", "sqlite+pysqlite:///{here}/own.db"),
        ("sqlite:////disk/own.db", "sqlite:////disk/own.db"),
        ("sqlite:///:memory:", "sqlite:///:memory:"),
        ("file:runs", "file://{here}/runs"),
        ("file:./runs", "file://{here}/runs"),
        ("file:///disk/runs", "file:///disk/runs"),
        ("runs", "{here}/runs"),
        ("./runs", "{here}/runs"),
        ("../runs", "{above}/runs"),
        ("/disk/runs", "/disk/runs"),
        ("databricks", "databricks"),
        ("databricks-uc", "databricks-uc"),
        ("databricks://profile", "databricks://profile"),
        ("http://127.0.0.1:1", "http://127.0.0.1:1"),
        ("postgresql://user@host/db", "postgresql://user@host/db"),
    ],
)
def test_a_relative_mlflow_store_is_the_workspaces_too(tmp_path, copy, monkeypatch, written, meant):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", written)
    assert workspace.tracking_uri() == meant.format(here=tmp_path, above=tmp_path.parent)


@pytest.mark.parametrize("written", ["store", "./store", "{here}/store"])
def test_a_store_of_ones_own_holds_the_arrays_too(tmp_path, copy, monkeypatch, written):
    monkeypatch.setenv("CXRBENCH_STORE", written.format(here=tmp_path))
    assert workspace.run_store_dir() == tmp_path / "store"
    assert workspace.array_cache_dir() == tmp_path / "store" / "arrays"


def test_without_it_the_arrays_lie_beside_the_runs(tmp_path, copy):
    assert workspace.array_cache_dir() == tmp_path / ".cxrbench" / "arrays"


def test_what_is_fetched_lies_in_the_workspace_or_where_the_environment_says(tmp_path, copy, monkeypatch):
    assert workspace.fetched_dir() == tmp_path / ".cxrbench" / "fetched"
    for written in ("disk", str(tmp_path / "disk")):
        monkeypatch.setenv("CXRBENCH_FETCHED", written)
        assert workspace.fetched_dir() == tmp_path / "disk"


def test_a_path_may_start_at_home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("CXRBENCH_STORE", "CXRBENCH_FETCHED"):
        monkeypatch.setenv(name, "~/disk")
    assert {workspace.resolve("~/disk"), workspace.run_store_dir(), workspace.fetched_dir()} == {tmp_path / "disk"}
