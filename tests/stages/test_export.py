"""The command hands the winner's networks and how they are used to the ONNX file; what it can't do is one sentence."""

import json
import shutil
from pathlib import Path

import pytest

from cxrbench import cli
from cxrbench.runs import onnx_file


@pytest.fixture
def asked(evaluated_workspace, tmp_path, monkeypatch):
    """What the command asked to write, in a workspace whose networks are files of text."""
    folder = shutil.copytree(evaluated_workspace, tmp_path / "workspace")
    (folder / "dvc.yaml").touch()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("CXRBENCH_STORE", raising=False)
    for run in (f"reference-{seed}" for seed in range(3)):
        (folder / ".cxrbench/runs" / run).mkdir(parents=True)
        (folder / ".cxrbench/runs" / run / "model.keras").write_text(run)
    calls = []

    def write(files, target, metadata):
        calls.append((files, metadata))
        target.write_bytes(b"onnx")
        return onnx_file.Agreement(1e-7, calls[0][2] if len(calls[0]) > 2 else 1e-7, 0.1, 0.9)

    monkeypatch.setattr(onnx_file, "write", write)
    monkeypatch.setattr(onnx_file, "need_packages", lambda: None)
    return calls


def test_the_file_gets_the_networks_of_all_seeds_and_how_they_are_used(asked, capsys):
    assert cli.main(["export", "batch-size", "--to", "a.onnx"]) == 0
    ((files, metadata),) = asked
    assert [file.read_text() for file in files] == ["reference-0", "reference-1", "reference-2"]
    assert metadata["notice"].startswith("Not a medical device.")
    assert json.loads(metadata["labels"]) == ["normal", "pneumonia"]
    assert metadata["fingerprint"] == "reference-0 reference-1 reference-2"
    assert 0 < float(metadata["threshold"]) < 1
    assert metadata["resize"] == "squash"
    assert not any(str(Path.cwd()) in value for value in metadata.values())
    assert "differ from the networks' by at most 1e-07" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none", "--to", "a.onnx"], "there is no study 'none'"),
        (["batch-size", "--to", "a.pb"], "--to is a.pb; name a file that ends with .onnx"),
        (["learning-rate", "--to", "missing/a.onnx"], "model.keras, a network of study learning-rate, does not exist"),
    ],
)
def test_what_it_cannot_do_is_one_sentence(asked, capsys, arguments, message):
    shutil.rmtree(".cxrbench/runs/reference-1")
    assert cli.main(["export", *arguments]) == 1
    assert message in capsys.readouterr().err
    assert asked == []
