"""What counts as this machine, for pixels that must not leave it."""

import pytest

from cxrbench.tracking.locality import stay_here

STORE, FOLDER = "sqlite:///mlruns/mlflow.db", "file:///srv/mlruns/artifacts"
STORES_HERE = [
    STORE,
    "sqlite:////srv/mlflow.db",
    "sqlite+pysqlite:///mlflow.db",
    "file:/srv/mlruns",
    "file:///srv/mlruns",
    "file://localhost/srv/mlruns",
    "./mlruns",
    "mlruns",
    "/srv/mlruns",
    "http://localhost:5000",
    "HTTP://LOCALHOST",
    "http://127.0.0.1:5000/",
    "http://127.8.8.8",
    "http://[::1]",
    "https://me:secret@localhost:8443/path",
    "postgresql+psycopg2://me:secret@127.0.0.1/mlflow",
]
FOLDERS_HERE = [FOLDER, "file:/srv/mlruns", "file://localhost/srv/mlruns", "/srv/mlruns", "mlruns"]
AWAY = [
    "https://mlflow.example.org",
    "http://mlflow:5000",
    "http://192.168.0.2:5000",
    "http://0.0.0.0:5000",
    "http://localhost.example.org",
    "http://127.0.0.1.example.org",
    "http://127.0.0.1@example.org",
    "http://localhost:5000@example.org",
    "http://example.org/?u=http://localhost",
    "http://example.org#@localhost",
    "http://[::1",
    "http://",
    "",
    "databricks://profile",
    "uc:http://localhost",
    "postgresql://db.example.org/mlflow",
    "mlflow-artifacts://example.org/0",
    "s3://bucket/mlruns",
    "dbfs:/mlruns",
    "file://fileserver/share/mlruns",
    "//fileserver/share/mlruns",
    "ftp://localhost/mlruns",
]
STORES_AWAY = [*AWAY, "databricks", "databricks-uc", "uc", "mlflow-artifacts:/0/abc"]
# A server hands on what it is sent: where to, its address does not say.
FOLDERS_AWAY = [*AWAY, "mlflow-artifacts:/0/abc/artifacts", "http://localhost:5000/api", "http://127.0.0.1/artifacts"]


@pytest.mark.parametrize("uri", STORES_HERE)
def test_a_file_or_a_loopback_server_is_on_this_machine(uri: str) -> None:
    assert stay_here(uri, FOLDER)


@pytest.mark.parametrize("uri", FOLDERS_HERE)
def test_artifacts_in_a_folder_stay_on_this_machine(uri: str) -> None:
    assert stay_here(STORE, uri)


@pytest.mark.parametrize("uri", STORES_AWAY)
def test_every_other_store_counts_as_remote(uri: str) -> None:
    assert not stay_here(uri, FOLDER)


@pytest.mark.parametrize("uri", FOLDERS_AWAY)
def test_artifacts_that_a_server_takes_or_that_lie_elsewhere_count_as_remote(uri: str) -> None:
    assert not stay_here(STORE, uri)
