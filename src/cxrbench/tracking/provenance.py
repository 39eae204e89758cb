"""Where a result came from: the code's revision, the data's hashes and the DVC experiment, as plain tags.

Hashes and names only; no path of this machine, no user, no host.
"""

import os
import subprocess
from pathlib import Path

import yaml

DATA_STAGES = ("download", "view-filter", "split")
EXPERIMENTS = "dvc.experiments"  # names of DVC experiments, separated by blanks


def provenance_tags(folder: Path) -> dict[str, str]:
    """Tags for what is trained from ``folder``, the workspace or DVC's copy of it; what is unknown is left out."""
    experiment = {
        EXPERIMENTS: os.environ.get("DVC_EXP_NAME", ""),
        "dvc.baseline": os.environ.get("DVC_EXP_BASELINE_REV", ""),
    }
    found = {**_git_tags(folder), **experiment, **_data_tags(folder)}
    return {name: value for name, value in found.items() if value}


def _git_tags(folder: Path) -> dict[str, str]:
    revision = _git(folder, "rev-parse", "HEAD")
    # dvc.lock always changes while a pipeline runs; what counts is what a run is made of
    changed = _git(folder, "status", "--porcelain", "--untracked-files=no", "--", "src", "params.yaml", "dvc.yaml")
    if not revision:
        return {}
    return {"mlflow.source.git.commit": revision, "git.uncommitted_changes": "yes" if changed else "no"}


def _git(folder: Path, *arguments: str) -> str:
    try:
        result = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):  # no git, or no repository
        return ""
    return result.stdout.strip()


def _data_tags(folder: Path) -> dict[str, str]:
    try:
        lock = yaml.safe_load((folder / "dvc.lock").read_text(encoding="utf-8"))
    except FileNotFoundError:  # a stage that was run by hand
        return {}
    outs = [out for stage in DATA_STAGES for out in lock.get("stages", {}).get(stage, {}).get("outs", [])]
    return {f"dvc.md5.{out['path']}": out.get("md5", "") for out in outs}
