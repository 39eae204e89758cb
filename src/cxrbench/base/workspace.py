"""Where the things live that outlast one pipeline run: the run store, the MLflow store, what was fetched.

DVC runs queued and temporary experiments in copies of the workspace below ``.dvc/tmp/exps``; what they
train must reach the stores of the workspace itself, so every path here is resolved from that workspace.
"""

import os
from pathlib import Path


def workspace_root(start: Path | None = None) -> Path:
    """The user's own workspace, also when called inside DVC's copy of it.

    ``start`` is a folder inside the workspace or one of its copies (default: the current folder).
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if folder.name == "exps" and folder.parent.name == "tmp" and folder.parent.parent.name == ".dvc":
            return folder.parent.parent.parent
    for folder in (here, *here.parents):
        if (folder / "dvc.yaml").is_file():
            return folder
    return here


def run_store_dir() -> Path:
    """The folder of trained runs, shared by all experiments; ``CXRBENCH_STORE`` overrides it."""
    return Path(os.environ.get("CXRBENCH_STORE") or workspace_root() / ".cxrbench" / "runs")


def array_cache_dir() -> Path:
    """The folder of decoded image arrays, a cache that may be deleted at any time."""
    return run_store_dir().parent / "arrays"


def fetched_dir() -> Path:
    """What cohorts were fetched and unpacked to, outside DVC's outputs so that a killed fetch goes on.

    ``CXRBENCH_FETCHED`` overrides it: a disk with room, or one folder for several workspaces.
    """
    return Path(os.environ.get("CXRBENCH_FETCHED") or workspace_root() / ".cxrbench" / "fetched")


def tracking_uri() -> str:
    """The MLflow store: ``MLFLOW_TRACKING_URI``, else SQLite in the workspace's ``mlruns``.

    A relative SQLite path is taken from the workspace, not from DVC's copy of it, which goes when it is done.
    """
    uri = os.environ.get("MLFLOW_TRACKING_URI") or "sqlite:///mlruns/mlflow.db"
    relative = uri.removeprefix("sqlite:///")
    return uri if relative == uri else f"sqlite:///{workspace_root() / relative}"


def resolve_root(root: str) -> Path:
    """A cohort's folder as a user writes it: absolute, with ``~``, or relative to the workspace."""
    return (workspace_root() / Path(root).expanduser()).resolve()
