"""No key of a restricted cohort reaches a data remote, however `dvc push` is said; an open cohort's outputs do.

DVC itself runs on the outputs that dvc.yaml declares. Each stage writes a planted key into each of its outputs, in the
clear and compressed, in the place of what the real one would write.
"""

import contextlib
import gzip
import os
import shutil
import subprocess
import sys
from pathlib import Path

import boto3
import pytest
import yaml
from dvc.cli import main
from moto.server import ThreadedMotoServer

ROOT = Path(__file__).parents[1]
OPEN, RESTRICTED, AGAIN = "open-patient-0001", "restricted-patient-0002", "open-patient-0003"
GZIP = b"\x1f\x8b"
PLANT = """\
import gzip, sys
from pathlib import Path
key = Path("key.txt").read_text()
for output in map(Path, sys.argv[1:]):
    folder = output if not output.suffix else output.parent
    folder.mkdir(parents=True, exist_ok=True)
    text = f'{{"patient": "{key} in {output}"}}'
    if output.suffix:
        output.write_text(text)
    else:
        (folder / f"{key}.csv").write_text(text)
        (folder / "scores.csv.gz").write_bytes(gzip.compress(text.encode()))
"""
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def s3():
    """The address of an S3 server on loopback, and its client."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    address = "http://{}:{}".format(*server.get_host_and_port())
    yield (
        address,
        boto3.client(
            "s3", endpoint_url=address, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
        ),
    )
    server.stop()


@pytest.fixture
def workspace(tmp_path, s3, monkeypatch):
    """A repository with the outputs of dvc.yaml, a local remote that is the default, and one on S3."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "DVC_SITE_CACHE_DIR": str(tmp_path / "site"),
        "GIT_CONFIG_GLOBAL": os.devnull,
        **{f"GIT_{who}_{what}": "nobody@localhost" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }.items():
        monkeypatch.setenv(name, value)
    folder = tmp_path / "workspace"
    (folder / ".dvc").mkdir(parents=True)
    shutil.copy(ROOT / ".dvc" / "config", folder / ".dvc")
    (folder / "plant.py").write_text(PLANT)
    pipeline = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))
    stages = {}
    for name, stage in pipeline["stages"].items():
        outputs = {kind: stage[kind] for kind in ("outs", "metrics") if kind in stage}
        paths = [path.removeprefix("${kept}") for listed in outputs.values() for out in listed for path in out]
        stages[name] = {
            "cmd": f"{sys.executable} plant.py {' '.join(paths)}",
            "deps": ["plant.py", "key.txt"],
            **outputs,
        }
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}))
    (folder / ".gitignore").write_text("/data\n/reports\n/key.txt\n")
    s3[1].create_bucket(Bucket=bucket(folder))
    git(folder, "init", "-q")
    dvc(folder, "config", "hydra.enabled", "false")
    dvc(folder, "remote", "add", "-d", "local", str(tmp_path / "remote"))
    dvc(folder, "remote", "add", "s3", f"s3://{bucket(folder)}/data")
    dvc(folder, "remote", "modify", "s3", "endpointurl", s3[0])
    return folder


def git(folder, *arguments):
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)


def dvc(folder, *arguments):
    """The exit code of a DVC command, which runs in this process: a start of DVC takes a second or two."""
    with contextlib.chdir(folder):
        return main([str(argument) for argument in arguments])


def ask(folder, key, kept):
    (folder / "key.txt").write_text(key)
    (folder / "params.yaml").write_text(yaml.safe_dump({"kept": kept}))


def commit(folder, words):
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", words)


def holding(key, workspace, s3):
    """What on either remote holds a key, in a file's name, in its bytes or in the bytes that it unpacks to."""
    remote = workspace.parent / "remote"
    files = {str(path): path.read_bytes() for path in remote.rglob("*") if path.is_file()}
    for page in s3[1].get_paginator("list_objects_v2").paginate(Bucket=bucket(workspace)):
        for item in page.get("Contents", ()):
            files[item["Key"]] = s3[1].get_object(Bucket=bucket(workspace), Key=item["Key"])["Body"].read()
    return {name: data for name, data in files.items() if key in name or key.encode() in unpacked(data)}


def unpacked(data):
    return gzip.decompress(data) if data.startswith(GZIP) else data


def bucket(workspace):
    return workspace.parent.name.replace("_", "-")


def push_in_every_way(folder):
    """Says `dvc push` in its forms, to both remotes; each fails or sends nothing of what is kept."""
    for form in ([], ["-r", "local"], ["--all-commits"], ["--all-commits", "-r", "s3"], ["-r", "s3", "data/split"]):
        dvc(folder, "push", *form)
    dvc(folder, "push", "-r", "local", "--run-cache")


def test_outputs_of_open_cohorts_reach_both_remotes_and_are_found_there(workspace, s3):
    ask(workspace, OPEN, "")
    assert dvc(workspace, "repro") == 0
    assert dvc(workspace, "push") == 0
    assert dvc(workspace, "push", "-r", "s3") == 0
    found = holding(OPEN, workspace, s3)
    for place in ("data/", str(workspace.parent)):
        there = {name: data for name, data in found.items() if name.startswith(place)}
        assert any(name.endswith(".dir") for name in there)  # the names of a folder's files
        assert any(data.startswith(GZIP) for data in there.values())


def test_dvc_push_of_a_restricted_cohort_fails_and_says_where_to_read_why(workspace, caplog):
    ask(workspace, RESTRICTED, "here/../")
    assert dvc(workspace, "repro") == 0
    assert dvc(workspace, "push") != 0
    assert "a restricted cohort stays here: see docs/howto/data-remote.md" in caplog.text
    assert (ROOT / "docs" / "howto" / "data-remote.md").is_file()
    assert dvc(workspace, "push", "-r", "local") == 0  # which sends nothing
    assert not (workspace.parent / "remote").exists()


def test_no_key_of_a_restricted_cohort_is_on_a_remote_whatever_runs_before_and_after(workspace, s3):
    ask(workspace, OPEN, "")
    assert dvc(workspace, "repro") == 0
    commit(workspace, "open")
    ask(workspace, RESTRICTED, "here/../")
    assert dvc(workspace, "repro") == 0
    push_in_every_way(workspace)
    assert (workspace / "data" / "train-grid" / f"{RESTRICTED}.csv").is_file()
    commit(workspace, "restricted")
    push_in_every_way(workspace)
    assert holding(RESTRICTED, workspace, s3) == {}

    ask(workspace, AGAIN, "")  # the parameters of an open cohort, while dvc.lock still tells of the restricted one
    push_in_every_way(workspace)
    pipeline = (workspace / "dvc.yaml").read_text()
    (workspace / "dvc.yaml").write_text(pipeline.replace("plant.py data/evaluate", "none.py"))
    assert dvc(workspace, "repro") != 0  # and a pipeline that ends half way
    push_in_every_way(workspace)
    assert holding(RESTRICTED, workspace, s3) == {}
    (workspace / "dvc.yaml").write_text(pipeline)
    assert dvc(workspace, "repro") == 0
    assert dvc(workspace, "push") == 0
    assert holding(AGAIN, workspace, s3)
    assert holding(RESTRICTED, workspace, s3) == {}


def test_an_experiment_sent_to_a_git_remote_takes_no_restricted_key_along(workspace, s3):
    ask(workspace, OPEN, "")
    assert dvc(workspace, "repro") == 0
    commit(workspace, "open")
    git(workspace.parent, "init", "-q", "--bare", "hub")
    git(workspace, "remote", "add", "hub", str(workspace.parent / "hub"))
    ask(workspace, RESTRICTED, "here/../")
    assert dvc(workspace, "exp", "run", "-n", "theirs") == 0
    assert dvc(workspace, "exp", "push", "hub", "theirs") != 0
    assert dvc(workspace, "exp", "push", "-r", "s3", "hub", "theirs") == 0
    assert holding(RESTRICTED, workspace, s3) == {}
