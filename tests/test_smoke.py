"""The real pipeline on the tiny phantom, as a newcomer and an experimenter drive it, in a clone of its own."""

import json
import sqlite3
import time
import zipfile

import boto3
import pytest
import yaml
from moto.server import ThreadedMotoServer

from tests.clone import PLANTED, SECRETS, run

SEEDS = 2
KEYS = {"aws_access_key_id": "nobody", "aws_secret_access_key": "nothing"}
pytestmark = pytest.mark.smoke


def runs_in_store(folder):
    return {path.name for path in (folder / ".cxrbench" / "runs").iterdir() if not path.name.startswith(".")}


def runs_in_mlflow(folder):
    """Name, status and fingerprint of every MLflow run of the workspace."""
    query = """select r.name, r.status, t.value from runs r
               join tags t on t.run_uuid = r.run_uuid and t.key = 'fingerprint' where r.lifecycle_stage = 'active'"""
    with sqlite3.connect(folder / "mlruns" / "mlflow.db") as base:
        return base.execute(query).fetchall()


@pytest.fixture(scope="module")
def clone(finished_clone):
    """A tiny clone after its first `dvc repro`."""
    return finished_clone


def test_one_command_leads_to_a_report_with_every_study(clone):
    page = (clone / "reports" / "report.html").read_text(encoding="utf-8")
    metrics = json.loads((clone / "reports" / "metrics.json").read_text(encoding="utf-8"))
    for study in (
        "learning-rate",
        "loss-function",
        "batch-size",
        "protocol",
        "black-lungs",
        "covid-cnn",
        "view-network",
    ):
        assert study in json.dumps(metrics)
        assert (clone / "reports" / "tables" / f"{study}.md").is_file()
        looked_at = f"\n{study}," in (clone / "data" / "evaluate" / "attention.csv").read_text(encoding="utf-8")
        assert looked_at == (study != "view-network")
    assert 'src="http' not in page
    assert str(clone) not in page
    verdict = json.loads((clone / "data" / "validate" / "verdict.json").read_text(encoding="utf-8"))
    assert verdict["passed"]


def test_a_secret_of_the_environment_is_in_no_file_no_store_and_no_message(clone):
    run(clone, "cxrbench", "pack", str(clone.parent / "packed" / "tiny"), **SECRETS)
    searched = [path for path in clone.parent.rglob("*") if path.is_file() and not path.is_symlink()]
    held = [path for path in searched if PLANTED.encode() in path.read_bytes()]
    assert held == [clone / ".git" / "config"]  # where the test planted it
    archives = [path for path in searched if path.suffix == ".keras"]
    assert archives
    for path in archives:
        with zipfile.ZipFile(path) as archive:
            assert not [name for name in archive.namelist() if PLANTED.encode() in archive.read(name)]


def test_every_run_is_in_mlflow_once_and_finished(clone):
    found = [(name, mark) for name, status, mark in runs_in_mlflow(clone) if status == "FINISHED"]
    assert len(found) == len(runs_in_mlflow(clone))
    assert {mark for _, mark in found} == runs_in_store(clone)
    assert len(found) == 22 * SEEDS  # one a cell


def test_the_users_commands_do_what_a_dvc_user_expects(clone):
    assert "up to date" in run(clone, "dvc", "repro")
    assert "up to date" in run(clone, "dvc", "status")
    assert "accuracy" in run(clone, "dvc", "metrics", "show")
    run(clone, "dvc", "plots", "show", "-o", str(clone.parent / "plots"))
    assert (clone.parent / "plots" / "index.html").stat().st_size > 10_000
    assert run(clone, "git", "status", "--porcelain").split() in (["??", "dvc.lock"], [])


def test_a_queued_experiment_trains_only_what_depends_on_it_and_reaches_the_workspaces_stores(clone):
    run(clone, "git", "add", "-A")
    run(clone, "git", "commit", "-qm", "lock", "--allow-empty")
    before = runs_in_store(clone)
    run(clone, "dvc", "exp", "run", "--queue", "-n", "faster", "-S", "lr=0.01", "train-grid")  # no report of it
    run(clone, "dvc", "queue", "start")
    deadline = time.monotonic() + 600
    while "Success" not in (status := run(clone, "dvc", "queue", "status")):
        assert "Failed" not in status, run(clone, "dvc", "queue", "logs", "faster")
        assert time.monotonic() < deadline, status
        time.sleep(2)
    run(clone, "dvc", "queue", "stop")
    new = runs_in_store(clone) - before
    assert len(new) == (4 + 3 + 2 + 1) * SEEDS  # other losses, batch sizes and protocols, black lungs: now at lr 0.01
    assert new <= {mark for _, _, mark in runs_in_mlflow(clone)}
    assert "faster" in run(clone, "dvc", "exp", "show", "--csv")


@pytest.fixture(scope="module")
def s3():
    """The address of an S3 server on loopback that has a bucket 'bucket'."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    address = "http://{}:{}".format(*server.get_host_and_port())
    boto3.client("s3", endpoint_url=address, region_name="us-east-1", **KEYS).create_bucket(Bucket="bucket")
    yield address
    server.stop()


def name_remote(folder, remote, s3, local):
    """As docs/howto/data-remote.md says it, but for no one else: git sees no change."""
    if remote == "local":
        run(folder, "dvc", "remote", "add", "--local", "-f", "-d", "ours", str(local))
    else:
        run(folder, "dvc", "remote", "add", "--local", "-f", "-d", "ours", "s3://bucket/cxrbench")
        for key, value in {"endpointurl": s3, **KEYS}.items():
            run(folder, "dvc", "remote", "modify", "--local", "ours", key.removeprefix("aws_"), value)


@pytest.mark.parametrize("remote", ["local", "s3"])
def test_a_colleague_who_pulls_what_was_pushed_trains_nothing_and_changes_nothing(clone, s3, remote, tmp_path):
    run(clone, "git", "add", "-A")
    run(clone, "git", "commit", "-qm", "lock", "--allow-empty")
    name_remote(clone, remote, s3, tmp_path / "remote")
    run(clone, "dvc", "push")
    theirs = tmp_path / "colleague" / "cxrbench"
    run(tmp_path, "git", "clone", "-q", str(clone), str(theirs))
    name_remote(theirs, remote, s3, tmp_path / "remote")
    run(theirs, "dvc", "pull")
    assert "up to date" in run(theirs, "dvc", "repro")
    assert run(theirs, "git", "status", "--porcelain") == ""
    for made in (".cxrbench", "mlruns/mlflow.db"):  # no run, no phantom, no decoded image, nothing logged
        assert not (theirs / made).exists()
    for read in ("reports/report.html", "data/view-filter/model.keras", "data/split/assignment.csv"):
        assert (theirs / read).read_bytes() == (clone / read).read_bytes()


def test_of_a_restricted_cohorts_experiment_no_file_is_pushed(clone, s3, tmp_path):
    """The outputs of the whole pipeline, taken for those of a restricted cohort."""
    name_remote(clone, "local", s3, tmp_path / "remote")
    params = yaml.safe_load((clone / "params.yaml").read_text(encoding="utf-8"))
    params["kept"], params["cohorts"]["pneumonia"]["restricted"] = "here/../", True
    (clone / "params.yaml").write_text(yaml.safe_dump(params))
    run(clone, "dvc", "commit", "-f")
    assert "up to date" in run(clone, "dvc", "status")
    assert "see docs/howto/data-remote.md" in run(clone, "dvc", "push", fails=True)
    run(clone, "dvc", "push", "-r", "ours")
    run(clone, "git", "checkout", "params.yaml")  # and dvc.lock still tells of the restricted cohort
    run(clone, "dvc", "push")
    assert not (tmp_path / "remote").exists()
    run(clone, "git", "checkout", "dvc.lock")
    run(clone, "dvc", "push")
    assert (tmp_path / "remote").exists()
