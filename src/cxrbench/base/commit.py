"""The commit of the code at hand."""

import subprocess
from pathlib import Path

DECIDING = ("src", "params.yaml", "dvc.yaml")  # what a run is made of; dvc.lock changes while a pipeline runs


def commit(folder: Path) -> tuple[str, bool]:
    """The hash of the commit that is checked out in ``folder``, and whether code or parameters differ from it.

    An empty hash where there is no git or no repository.
    """
    revision = _git(folder, "rev-parse", "HEAD")
    if not revision:
        return "", False
    return revision, bool(_git(folder, "status", "--porcelain", "--untracked-files=no", "--", *DECIDING))


def _git(folder: Path, *arguments: str) -> str:
    try:
        result = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return result.stdout.strip()
