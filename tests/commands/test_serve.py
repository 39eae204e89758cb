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


def test_a_study_without_a_registered_model_is_told_with_those_that_have_one(registry, capsys):
    for study, alias in (("lr", "best-mean"), ("mine", "best")):
        assert cli.main(["serve", study, "--alias", alias, "--port", "1"]) == 1
        said = capsys.readouterr()
        has = "cxrbench-mine" if alias == "best-mean" else "nothing"
        assert f"the registry has no cxrbench-{study}@{alias} but {has}; train the study" in said.err
        assert said.out == ""


def test_a_port_that_is_taken_is_told_before_anything_starts(registry, port, capsys):
    assert cli.main(["serve", "mine", "--port", port]) == 1
    assert f"port {port} is in use by another program; name another" in capsys.readouterr().err
