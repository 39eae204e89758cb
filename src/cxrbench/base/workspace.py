"""Where the things live that outlast one pipeline run: run store, MLflow store, fetched files, phantoms.

DVC runs queued and temporary experiments in copies of the workspace below ``.dvc/tmp/exps``; what they
train must reach the stores of the workspace itself, so every path here is resolved from that workspace.
"""

import functools
import os
import re
from pathlib import Path
from urllib.parse import unquote

PHANTOMS = ".cxrbench/phantoms"
SERVERS = ("databricks", "databricks-uc", "uc")  # MLflow's words for a server, which look like paths


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


def resolve(path: str | Path) -> Path:
    """A path as a user writes it, in params.yaml or the environment: absolute, with ``~``, or from the workspace."""
    return (workspace_root() / Path(path).expanduser()).resolve()


def run_store_dir() -> Path:
    """The folder of trained runs, shared by all experiments; ``CXRBENCH_STORE`` overrides it."""
    return resolve(os.environ.get("CXRBENCH_STORE") or ".cxrbench/runs")


def array_cache_dir() -> Path:
    """The folder of decoded image arrays, a cache that may be deleted at any time; inside ``CXRBENCH_STORE``."""
    store = os.environ.get("CXRBENCH_STORE")
    return resolve(Path(store) / "arrays" if store else ".cxrbench/arrays")


def fetched_dir() -> Path:
    """What cohorts were fetched and unpacked to, outside DVC's outputs so that a killed fetch goes on.

    ``CXRBENCH_FETCHED`` overrides it: a disk with room, or one folder for several workspaces.
    """
    return resolve(os.environ.get("CXRBENCH_FETCHED") or ".cxrbench/fetched")


def phantoms_dir() -> Path:
    """What phantoms were made: outside DVC's outputs, may be deleted; 'dvc repro -f download' makes them again."""
    return workspace_root() / PHANTOMS


def is_phantom(path: str) -> bool:
    """Whether a path of a table is a phantom's, which this workspace can make again."""
    return path.startswith(f"{PHANTOMS}/")


def image_file(path: str) -> str:
    """Where the image lies whose path a table holds: a phantom's in the workspace, also for DVC's copy of it."""
    return os.path.join(_root_of(os.getcwd()), path) if is_phantom(path) else path


@functools.lru_cache(maxsize=16)  # asked for each image
def _root_of(folder: str) -> str:
    return str(workspace_root(Path(folder)))


def tracking_uri(named: str | None = None) -> str:
    """The MLflow store: the one ``named``, else ``MLFLOW_TRACKING_URI``, else SQLite in the workspace's ``mlruns``.

    A relative path is taken from the workspace, not from DVC's copy of it, which goes when it is done. A bare word
    is a path too, but for MLflow's own words for a server.
    """
    uri = named or os.environ.get("MLFLOW_TRACKING_URI") or "sqlite:///mlruns/mlflow.db"
    if database := re.fullmatch(r"(sqlite(?:\+\w+)?:///)(?!:memory:)(.+)", uri):
        return f"{database[1]}{resolve(database[2])}"
    if local := re.fullmatch(r"file:(?!//)(.+)", uri):
        return resolve(unquote(local[1])).as_uri()
    is_path = ":" not in uri and uri not in SERVERS
    return str(resolve(uri)) if is_path else uri
