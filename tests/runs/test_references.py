"""Which runs the commits of the last days refer to, without checking one out."""

import json
import os
import subprocess
import time

import pytest

from cxrbench.runs.references import referred

LIST = [{"md5": "0", "relpath": "grid.csv"}, {"md5": "1", "relpath": "settings.json"}]


@pytest.fixture
def root(tmp_path):
    git(tmp_path, "init", "-q")
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc" / "config").touch()
    return tmp_path


def git(root, *command, days_ago=0.0):
    moment = f"@{int(time.time() - days_ago * 86400)} +0000"
    who = {f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = {**os.environ, **who, "GIT_AUTHOR_DATE": moment, "GIT_COMMITTER_DATE": moment}
    subprocess.run(["git", *command], cwd=root, env=environment, check=True, capture_output=True)


def lock(root, grid="", network=""):
    """Writes dvc.lock, as DVC does, whose outputs name these runs; an output of '?' is in no cache."""
    stages = {}
    if grid:
        content = [*LIST, *({"md5": "2", "relpath": f"{run}/run.json"} for run in grid.split())]
        stages["train-grid"] = f"{{outs: [{{path: data/train-grid, md5: {cached(root, content, '.dir', grid)}}}]}}"
    if network:
        md5 = cached(root, {"run": network}, "", network)
        stages["view-filter"] = f"{{outs: [{{path: data/view-filter/model.json, md5: {md5}}}]}}"
    lines = [f"  {stage}: {out}" for stage, out in stages.items()]
    (root / "dvc.lock").write_text("\n".join(["schema: '2.0'", "stages:", *lines]) + "\n")


def cached(root, content, ending, name):
    md5 = name.encode().hex().ljust(32, "0")[:32] + ending
    if "?" not in name:
        file = root / ".dvc" / "cache" / "files" / "md5" / md5[:2] / md5[2:]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(content))
    return md5


@pytest.mark.parametrize("kept", ["", "here/../"])
def test_outputs_that_are_kept_from_dvc_push_name_their_runs_too(root, kept):
    lock(root, "a1 a2", "v1 + v2")
    (root / "dvc.lock").write_text((root / "dvc.lock").read_text().replace("path: data", f"path: {kept}data"))
    assert referred(root, 1)[0] == {"a1", "a2", "v1", "v2"}


def commit(root, days_ago=0.0):
    git(root, "add", "-f", "dvc.lock")
    git(root, "commit", "-qm", "x", "--allow-empty", days_ago=days_ago)


def test_runs_of_recent_commits_experiments_and_the_workspace_are_found(root):
    lock(root, "a1 a2", "v1 + v2")
    commit(root, days_ago=50)
    lock(root, "b1 b2")
    commit(root, days_ago=20)
    lock(root, "e1")  # an experiment: a commit that only a ref of DVC holds
    commit(root, days_ago=5)
    git(root, "update-ref", "refs/exps/00/1234/brave-one", "HEAD")
    git(root, "reset", "-q", "--hard", "HEAD~1")
    lock(root, "w1")
    assert referred(root, 30) == ({"b1", "b2", "e1", "w1"}, 0)
    assert referred(root, 60) == ({"a1", "a2", "v1", "v2", "b1", "b2", "e1", "w1"}, 0)
    assert referred(root, 10) == ({"b1", "b2", "e1", "w1"}, 0)  # HEAD, whatever its age


def test_a_grid_that_the_cache_lost_is_counted(root):
    lock(root, "a?")
    commit(root)
    lock(root, "b1")
    assert referred(root, 30) == ({"b1"}, 1)


def test_a_folder_without_git_and_dvc_refers_to_nothing(tmp_path):
    assert referred(tmp_path, 30) == (set(), 0)
    (tmp_path / "dvc.lock").write_text("schema: [")
    assert referred(tmp_path, 30) == (set(), 0)
