"""What outlasts an experiment lies in the user's own workspace, wherever DVC runs the experiment."""

from cxrbench.base import workspace


def test_a_queued_experiment_reaches_the_workspaces_own_stores(tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("CXRBENCH_STORE", raising=False)
    (tmp_path / "dvc.yaml").touch()
    copy = tmp_path / ".dvc" / "tmp" / "exps" / "tmpabc"
    (copy / "data").mkdir(parents=True)
    (copy / "dvc.yaml").touch()
    stores = []
    for folder in (tmp_path, copy, copy / "data"):
        monkeypatch.chdir(folder)
        stores.append((workspace.run_store_dir(), workspace.tracking_uri(), workspace.resolve_root("../images")))
    assert len(set(stores)) == 1
    assert stores[0][0] == tmp_path / ".cxrbench" / "runs"
    assert stores[0][1] == f"sqlite:///{tmp_path}/mlruns/mlflow.db"
    assert stores[0][2] == tmp_path.parent / "images"


def test_a_relative_sqlite_store_is_the_workspaces_too(tmp_path, monkeypatch):
    (tmp_path / "dvc.yaml").touch()
    copy = tmp_path / ".dvc" / "tmp" / "exps" / "tmpabc"
    copy.mkdir(parents=True)
    monkeypatch.chdir(copy)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///own.db")
    assert workspace.tracking_uri() == f"sqlite:///{tmp_path}/own.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:////{tmp_path}/own.db")
    assert workspace.tracking_uri().endswith(f"{tmp_path}/own.db")


def test_the_environment_overrides_both_stores(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    monkeypatch.setenv("CXRBENCH_STORE", str(tmp_path / "x"))
    assert workspace.tracking_uri() == "http://127.0.0.1:1"
    assert workspace.run_store_dir() == tmp_path / "x"
    assert workspace.array_cache_dir() == tmp_path / "arrays"


def test_what_is_fetched_lies_in_the_workspace_or_where_the_environment_says(tmp_path, monkeypatch):
    monkeypatch.delenv("CXRBENCH_FETCHED", raising=False)
    (tmp_path / "dvc.yaml").touch()
    copy = tmp_path / ".dvc" / "tmp" / "exps" / "tmpabc"
    copy.mkdir(parents=True)
    monkeypatch.chdir(copy)
    assert workspace.fetched_dir() == tmp_path / ".cxrbench" / "fetched"
    monkeypatch.setenv("CXRBENCH_FETCHED", str(tmp_path / "disk"))
    assert workspace.fetched_dir() == tmp_path / "disk"
