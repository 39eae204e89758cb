"""`.ci/diff` runs a commit and the workspace, and writes what their metrics and parameters differ in as Markdown."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / ".ci" / "diff"
STAGES = """\
stages:
  data:
    cmd: echo run >> "$RAN" && mkdir -p data && echo images > data/images.csv
    deps: [train.py]
    outs: [data/images.csv]
  train:
    cmd: python train.py
    deps: [data/images.csv]
    params: [lr]
    metrics: [metrics.json]
"""
TRAIN = """\
import json, yaml
lr = yaml.safe_load(open("params.yaml"))["lr"]
json.dump({"accuracy": 1 - lr}, open("metrics.json", "w"))
"""
pytestmark = pytest.mark.slow


@pytest.fixture
def repository(tmp_path):
    """A pipeline whose commit on main asks for lr 0.5, and whose workspace asks for 0.25."""
    folder = tmp_path / "with a blank"
    folder.mkdir()
    done(folder, "git", "init", "-q", "-b", "main")
    done(folder, "dvc", "init", "-q")
    (folder / "dvc.yaml").write_text(STAGES)
    (folder / "train.py").write_text(TRAIN)
    (folder / "params.yaml").write_text("lr: 0.5\n")
    done(folder, "git", "add", "-A")
    done(folder, "git", "commit", "-qm", "first")
    (folder / "params.yaml").write_text("lr: 0.25\n")
    return folder


def done(folder, *command):
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "RAN": str(folder.parent / "ran"),
        "DVC_SITE_CACHE_DIR": str(folder.parent / "site"),
        "GIT_CONFIG_GLOBAL": os.devnull,
        **{f"GIT_{who}_{what}": "nobody@localhost" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)


def difference(folder, base):
    ran = done(folder, "bash", str(SCRIPT), base, "reports/difference.md")
    made = folder / "reports" / "difference.md"
    return ran, made.read_text() if made.exists() else ""


def test_metrics_and_parameters_that_differ_stand_in_two_tables(repository):
    before = done(repository, "git", "status", "--porcelain", "--ignored", "params.yaml").stdout
    ran, made = difference(repository, "main")
    assert ran.returncode == 0, ran.stderr
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in made.splitlines() if line.startswith("|")]
    assert next(row for row in rows if "accuracy" in row)[-3:] == ["0.5", "0.75", "0.25"]
    assert next(row for row in rows if "lr" in row)[-2:] == ["0.5", "0.25"]
    first = done(repository, "git", "rev-parse", "main").stdout[:12]
    assert [row[2] for row in rows if row[0] == "Path"] == [first, first]
    assert made.index("### Metrics") < made.index("accuracy") < made.index("### Parameters") < made.index("| lr")
    assert (repository.parent / "ran").read_text() == "run\n"  # what both sides have in common ran once
    assert done(repository, "git", "branch", "--list").stdout == "* main\n"
    assert done(repository, "git", "status", "--porcelain", "--ignored", "params.yaml").stdout == before


def test_where_nothing_differs_it_says_so(repository):
    done(repository, "git", "checkout", "-q", "params.yaml")
    ran, made = difference(repository, "HEAD")
    assert ran.returncode == 0, ran.stderr
    assert made.count("None differs.") == 2


@pytest.mark.parametrize("base", ["nowhere", "--help", "$(touch pwned)", ""])
def test_a_commit_that_git_does_not_know_is_one_sentence(repository, base):
    ran, made = difference(repository, base)
    assert (ran.returncode, made) == (1, "")
    assert ran.stderr == f"error: git knows no commit '{base}'; name one, such as BASE=origin/main\n"
    assert not (repository / "pwned").exists()


def test_a_pipeline_that_fails_ends_it_and_leaves_no_clone(repository, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(repository.parent / "tmp"))
    (repository.parent / "tmp").mkdir()
    (repository / "dvc.yaml").write_text("stages: {train: {cmd: exit 3, metrics: [metrics.json]}}\n")
    ran, made = difference(repository, "main")
    assert ran.returncode != 0
    assert made == ""
    assert list((repository.parent / "tmp").glob("*/.git")) == []  # DVC leaves empty folders of its own, at times
