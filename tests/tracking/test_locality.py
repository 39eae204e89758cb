"""What counts as this machine, for pixels that must not leave it."""

import pytest

from cxrbench.tracking.locality import stays_here

HERE = [
    "sqlite:///mlruns/mlflow.db",
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
    "mlflow-artifacts:/0/abc/artifacts",
]
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
    "databricks",
    "databricks://profile",
    "databricks-uc",
    "uc:http://localhost",
    "postgresql://db.example.org/mlflow",
    "mlflow-artifacts://example.org/0",
    "s3://bucket/mlruns",
    "dbfs:/mlruns",
    "file://fileserver/share/mlruns",
    "//fileserver/share/mlruns",
    "ftp://localhost/mlruns",
]


@pytest.mark.parametrize("uri", HERE)
def test_a_file_or_a_loopback_server_is_on_this_machine(uri: str) -> None:
    assert stays_here(uri)


@pytest.mark.parametrize("uri", AWAY)
def test_every_other_address_counts_as_remote(uri: str) -> None:
    assert not stays_here(uri)
