import subprocess
from pathlib import Path

import pytest

from cxrbench.base.origins import Origin
from cxrbench.tracking.provenance import keep, origins, provenance_tags

LOCK = """
schema: '2.0'
stages:
  download: {cmd: x, outs: [{path: data/download, hash: md5, md5: aaa.dir, size: 1}]}
  split: {cmd: x, outs: [{path: data/split, hash: md5, md5: bbb.dir}], deps: [{path: data/view-filter, md5: ccc.dir}]}
  report: {cmd: x, outs: [{path: reports/report.html, hash: md5, md5: ddd}]}
"""


@pytest.fixture(autouse=True)
def _no_experiment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DVC_EXP_NAME", "DVC_EXP_BASELINE_REV"):
        monkeypatch.delenv(name, raising=False)


def test_tags_name_the_outputs_of_the_data_stages_only(tmp_path: Path) -> None:
    (tmp_path / "dvc.lock").write_text(LOCK)
    assert provenance_tags(tmp_path) == {"dvc.md5.data/download": "aaa.dir", "dvc.md5.data/split": "bbb.dir"}


def test_an_output_that_is_kept_from_dvc_push_has_the_same_tag(tmp_path: Path) -> None:
    (tmp_path / "dvc.lock").write_text(LOCK.replace("path: data", "path: here/../data"))
    assert provenance_tags(tmp_path) == {"dvc.md5.data/download": "aaa.dir", "dvc.md5.data/split": "bbb.dir"}


def test_a_folder_without_git_or_dvc_has_no_tags(tmp_path: Path) -> None:
    assert provenance_tags(tmp_path) == {}


def test_tags_name_the_dvc_experiment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_EXP_NAME", "brisk-lion")
    monkeypatch.setenv("DVC_EXP_BASELINE_REV", "abc123")
    assert provenance_tags(tmp_path) == {"dvc.experiments": "brisk-lion", "dvc.baseline": "abc123"}


def test_tags_tell_the_revision_and_whether_the_code_differs_from_it(tmp_path: Path) -> None:
    def git(*arguments: str) -> str:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
        command = ["git", *who, *arguments]
        return subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout.strip()

    (tmp_path / "params.yaml").write_text("lr: 1\n")
    (tmp_path / "dvc.lock").write_text("stages: {}\n")
    git("init")
    git("add", ".")
    git("commit", "-m", "x")
    (tmp_path / "dvc.lock").write_text("stages: {download: {outs: []}}\n")  # what a pipeline does as it runs
    tags = {"mlflow.source.git.commit": git("rev-parse", "HEAD"), "git.uncommitted_changes": "no"}
    assert provenance_tags(tmp_path) == tags
    (tmp_path / "params.yaml").write_text("lr: 2\n")
    assert provenance_tags(tmp_path)["git.uncommitted_changes"] == "yes"


def test_runs_of_one_origin_are_handed_on_together_and_what_was_not_kept_is_not_known(tmp_path: Path) -> None:
    tags = {"mlflow.source.git.commit": "abc", "git.uncommitted_changes": "yes", "dvc.md5.data/split": "m"}
    keep(tmp_path, "a", tags, str)
    keep(tmp_path, "b", {**tags, "dvc.experiments": "brisk-lion"}, str)  # who used a run is no part of its origin
    keep(tmp_path, "c", {**tags, "git.uncommitted_changes": "no"}, str)
    data = {"data/split": "m"}
    assert origins(tmp_path, ["a", "c", "b", "d", "a"]) == [
        Origin(["a", "b"], "abc", True, data),
        Origin(["c"], "abc", False, data),
        Origin(["d"]),
    ]
