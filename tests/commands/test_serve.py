"""``cxrbench serve`` starts nothing that cannot answer; tests/prediction/test_serving.py asks one that runs."""

import socket

import pytest
from mlflow import MlflowClient

from cxrbench import cli


@pytest.fixture
def registry(tmp_path, monkeypatch):
    store = f"sqlite:///{tmp_path / 'mlflow.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    monkeypatch.chdir(tmp_path)
    client = MlflowClient(store, registry_uri=store)
    client.create_registered_model("cxrbench-mine")
    version = client.create_model_version("cxrbench-mine", (tmp_path / "model").as_uri()).version
    client.set_registered_model_alias("cxrbench-mine", "best-mean", version)


@pytest.fixture
def port():
    """One that another program has."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield str(other.getsockname()[1])


@pytest.mark.parametrize(
    ("study", "alias", "told"),
    [
        ("lr", "best-mean", "has no cxrbench-lr@best-mean but cxrbench-mine; train the study by 'dvc exp run'"),
        ("mine", "best", "has no cxrbench-mine@best; choose by --alias best-mean"),
    ],
)
def test_a_study_or_an_alias_that_the_registry_lacks_is_told_with_what_it_has(study, alias, told, registry, capsys):
    assert cli.main(["serve", study, "--alias", alias, "--port", "1"]) == 1
    said = capsys.readouterr()
    assert told in said.err
    assert said.out == ""


def test_a_port_that_is_taken_is_told_before_anything_starts(registry, port, capsys):
    assert cli.main(["serve", "mine", "--port", port]) == 1
    assert f"port {port} is in use by another program; name another" in capsys.readouterr().err
