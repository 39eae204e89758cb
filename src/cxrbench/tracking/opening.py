"""Opening an MLflow store: whose it is, where its artifacts go, how long it may take, and who else writes to it."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import url2pathname

from filelock import FileLock

from cxrbench.base import workspace
from cxrbench.base.errors import CxrbenchError
from cxrbench.base.files import replaced_when_whole
from cxrbench.tracking.failure import reason, without_password
from cxrbench.tracking.waiting import Waiting

if TYPE_CHECKING:
    from mlflow import MlflowClient

OPENING = {"seconds": 5, "retries": 0}  # how long a server may take to answer before anything is logged
LOGGING = {"seconds": 30, "retries": 1}  # and later, when it may have a model to store
OTHERS_S = 60  # seconds that another process of the workspace may log before this one gives up


class Store:
    """The store ``uri``, opened.

    ``folder`` holds the lock, ``artifact_root`` the artifacts; None leaves their place to the store. Raises
    CxrbenchError where it can't be used.
    """

    client: "MlflowClient"

    def __init__(self, uri: str, folder: Path, artifact_root: Path | None) -> None:
        _import_mlflow_silently()
        self.uri, self._artifact_root = uri, artifact_root
        self.waiting = Waiting()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = FileLock(folder / "tracking.lock", timeout=OTHERS_S)
            with self._lock, self.waiting.at_most(**OPENING):
                _make_tables(uri)
                self.client = _opened(uri)
        except Exception as error:  # MLflow's, SQLAlchemy's, the file system's or a server's own
            raise CxrbenchError(
                f"the MLflow store {without_password(uri)} can't be used ({reason(error)}); check MLFLOW_TRACKING_URI"
            ) from None

    @contextmanager
    def logging(self) -> Iterator[None]:
        """Within the block no other process of the workspace logs."""
        with self._lock, self.waiting.at_most(**LOGGING):
            yield

    def experiment(self, name: str) -> str:
        """The id of the experiment ``name``: made where there is none, brought back where it was deleted.

        One whose artifacts were moved away or lost is renamed, and made anew: MLflow can't mend their addresses.
        """
        found = self.client.get_experiment_by_name(name)
        place = self._artifact_root / name if self._artifact_root else None
        if found and place:
            old = local_folder(found.artifact_location)
            if old and old != place and not old.exists():
                self.client.rename_experiment(found.experiment_id, f"{name} (moved, {found.experiment_id})")
                found = None
        if found is None:
            return str(self.client.create_experiment(name, artifact_location=place.as_uri() if place else None))
        if found.lifecycle_stage == "deleted":
            self.client.restore_experiment(found.experiment_id)
        return str(found.experiment_id)


def place_of(uri: str | None = None) -> tuple[str, Path, Path | None]:
    """What ``Store`` needs of the user's own workspace, also from inside DVC's copies; ``uri`` names another store."""
    uri, folder = workspace.tracking_uri(uri), workspace.workspace_root() / "mlruns"
    return uri, folder, _artifacts(uri, folder)


def sqlite_file(uri: str) -> Path | None:
    """The file of an SQLite store; None of a store of another kind."""
    parts = urlsplit(uri)
    database = Path(parts.path[1:])
    return database if parts.scheme.startswith("sqlite") and not parts.netloc and database.is_absolute() else None


def local_folder(uri: str) -> Path | None:
    """The folder of this machine that an artifact address names, or None."""
    parts = urlsplit(uri)
    return Path(url2pathname(parts.path)) if parts.scheme in ("", "file") and not parts.netloc else None


def _artifacts(uri: str, folder: Path) -> Path | None:
    """Where the artifacts of the store ``uri`` go: beside an SQLite file, to a server's own place (None)."""
    if urlsplit(uri).scheme in ("http", "https", "databricks", "databricks-uc", "uc"):
        return None
    database = sqlite_file(uri)
    return (database.parent if database else folder) / "artifacts"


def _make_tables(uri: str) -> None:
    """Makes a new SQLite file whole: one in which MLflow was stopped half way would be refused for good."""
    place = sqlite_file(uri)
    if place is None or place.exists():
        return
    with replaced_when_whole(place) as temporary:
        _opened(f"sqlite:///{temporary}")


def _opened(uri: str) -> "MlflowClient":
    from mlflow import MlflowClient

    client = MlflowClient(uri, registry_uri=uri)
    client.search_experiments(max_results=1)
    return client


def _import_mlflow_silently() -> None:
    """Imports MLflow with its telemetry off, and no word but what it raises: a failure is one sentence of ours."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ["DO_NOT_TRACK"] = "true"
    import mlflow  # noqa: F401

    logging.getLogger("mlflow").setLevel(logging.CRITICAL)
    logging.getLogger("alembic").setLevel(logging.ERROR)
