"""MLflow: an experiment a study, a parent run a setting, a child run a seed, the best model in the registry.

Logging the same thing again changes nothing but the list of DVC experiments that used it, so a later
``dvc repro`` or another ``dvc exp run`` makes no second run. All is logged after training, under a lock that all
processes of a workspace share. A run's Duration in MLflow is its time of training, a parent's the sum of its runs'.
"""

import logging
import math
import os
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from filelock import FileLock

from cxrbench.base import workspace
from cxrbench.base.errors import CxrbenchError
from cxrbench.tracking import logged
from cxrbench.tracking.failure import reason, without_password
from cxrbench.tracking.locality import stays_here
from cxrbench.tracking.logged import BEST, MISTAKES, WITHHELD, Draw, Picture, SeedRun, no_figures
from cxrbench.tracking.model_folder import write_model_folder
from cxrbench.tracking.provenance import EXPERIMENTS, provenance_tags
from cxrbench.tracking.waiting import Waiting

if TYPE_CHECKING:
    from mlflow.entities import Run
METRICS_A_CALL = 1000  # MLflow's own limit
OPENING = {"seconds": 5, "retries": 0}  # how long a server may take to answer before anything is trained
LOGGING = {"seconds": 30, "retries": 1}  # and later, when it may have a model to store


def open_tracker() -> "Tracker":
    """The tracker of the user's own workspace, also from inside DVC's copies of it."""
    uri, folder = workspace.tracking_uri(), workspace.workspace_root() / "mlruns"
    own_artifacts = urlsplit(uri).scheme not in ("http", "https", "databricks")  # a server keeps its own
    return Tracker(uri, folder, folder / "artifacts" if own_artifacts else None, provenance_tags(Path.cwd()))


class Tracker:
    """Logs to the store ``uri``, ``tags`` on every run. ``folder`` holds the lock, ``artifact_root`` the artifacts;
    None leaves their place to the store."""

    def __init__(self, uri: str, folder: Path, artifact_root: Path | None, tags: Mapping[str, str]) -> None:
        _import_mlflow_silently()
        from mlflow import MlflowClient

        folder.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(folder / "tracking.lock")
        self._artifact_root = artifact_root
        self._uri, self._tags = uri, dict(tags)
        self._waiting = Waiting()
        try:
            with self._lock, self._waiting.at_most(**OPENING):  # the first process makes SQLite's tables
                self._client = MlflowClient(uri, registry_uri=uri)
                self._client.search_experiments(max_results=1)
        except Exception as error:  # MLflow's, SQLAlchemy's, the file system's or a server's own
            raise CxrbenchError(
                f"the MLflow store {without_password(uri)} can't be used ({reason(error)}); check MLFLOW_TRACKING_URI"
            ) from None

    def describe(self, study: str, labels: Sequence[str]) -> None:
        """Says on the study's page what it asks: which of the settings ``labels`` is best."""
        with self._logging():
            self._client.set_experiment_tag(self._experiment(study), logged.NOTE, logged.study_note(study, labels))

    def log_setting(
        self, study: str, label: str, runs: Sequence[SeedRun], draw: Draw = no_figures, picture: Picture | None = None
    ) -> None:
        """Logs the runs of one setting below its parent run; ``draw`` makes the figures of a new run, by name.

        ``picture`` is logged once. The parent covers every seed ever logged of the setting on the same data and
        code, so that more seeds may follow in a later call.
        """
        with self._logging():
            parent = self._parent(study, label, runs)
            with self._finishing(parent):
                known = {child.data.tags["fingerprint"]: child for child in self._children(parent)}
                for run in runs:
                    child = known.get(run.record["run"])
                    if child and child.info.status == "FINISHED":
                        self._refresh_seed(child, run)
                        continue
                    if child:  # its process ended while it logged
                        self._client.delete_run(child.info.run_id)
                    self._log_seed(parent, label, run, draw)
                if picture and parent.data.tags.get("mistakes", WITHHELD) == WITHHELD:
                    self._log_picture(parent, picture)
                done = [c for c in self._children(parent) if c.info.status == "FINISHED"]
                self._log_metrics(parent, logged.summary((c.data.tags["status"], c.data.metrics) for c in done))
            self._end(parent, parent.info.start_time + sum(c.info.end_time - c.info.start_time for c in done))

    def register_best(self, study: str, label: str, seed_run: SeedRun) -> None:
        """Gives the model of a run that was logged the alias 'best' in the study's registered model."""
        fingerprint, name = seed_run.record["run"], logged.model_name(study)
        with self._logging():
            found = self._client.search_runs([self._experiment(study)], f"tags.fingerprint = '{fingerprint}'")
            run = next(r for r in found if r.data.tags["setting"] == label and r.info.status == "FINISHED")
            if not self._client.search_registered_models(f"name = '{name}'"):
                self._client.create_registered_model(name, description=f"The best model of study {study}.")
            versions = self._client.search_model_versions(f"name = '{name}'")
            known = [v.version for v in versions if v.tags.get("fingerprint") == fingerprint]
            version = known[0] if known else self._new_version(name, run, seed_run)
            self._client.set_registered_model_alias(name, BEST, str(version))

    @contextmanager
    def _logging(self) -> Iterator[None]:
        with self._lock, self._waiting.at_most(**LOGGING):
            yield

    def _experiment(self, study: str) -> str:
        """The id of the study's experiment, made where there is none, brought back where it was deleted."""
        found = self._client.get_experiment_by_name(study)
        if found is None:
            place = (self._artifact_root / study).as_uri() if self._artifact_root else None
            return str(self._client.create_experiment(study, artifact_location=place))
        if found.lifecycle_stage == "deleted":
            self._client.restore_experiment(found.experiment_id)
        return str(found.experiment_id)

    def _parent(self, study: str, label: str, runs: Sequence[SeedRun]) -> "Run":
        experiment, tags = self._experiment(study), logged.setting_tags(study, label, runs[0].record)
        found = self._client.search_runs([experiment], f"tags.identity = '{tags['identity']}'", max_results=1)
        parent = found[0] if found else self._new_run(experiment, label, tags, min(run.began for run in runs))
        if parent.info.status != "FINISHED":
            self._log_parameters(parent, logged.parameters(runs[0].record["setting"]))
            self._log_data(parent, runs[0])
        self._add_experiment_name(parent)
        return parent

    def _new_run(self, experiment: str, name: str, tags: Mapping[str, str], began: float) -> "Run":
        return self._client.create_run(experiment, round(1000 * began), {**self._tags, **tags}, name)

    def _children(self, parent: "Run") -> list["Run"]:
        where = f"tags.mlflow.parentRunId = '{parent.info.run_id}'"
        return list(self._client.search_runs([parent.info.experiment_id], where, max_results=10_000))

    def _log_seed(self, parent: "Run", label: str, seed_run: SeedRun, draw: Draw) -> None:
        tags = {"mlflow.parentRunId": parent.info.run_id, **seed_run.tags(label)}
        name = f"{label} · seed {seed_run.record['seed']}"
        run = self._new_run(parent.info.experiment_id, name, tags, seed_run.began)
        with self._finishing(run):
            self._log_parameters(run, seed_run.parameters())
            self._log_data(run, seed_run)
            self._log_points(run, seed_run.history())
            self._client.log_artifact(run.info.run_id, str(seed_run.folder / "history.csv"))
            self._log_metrics(run, seed_run.final_metrics())
            for name, figure in draw(seed_run).items():
                self._client.log_figure(run.info.run_id, figure, f"figures/{name}.png")
        self._end(run, round(1000 * seed_run.ended))

    def _log_picture(self, run: "Run", picture: Picture) -> None:
        """Logs the picture, unless a restricted cohort's pixels would leave this machine; a tag says what was done."""
        outcome = WITHHELD
        if not picture.restricted or (stays_here(self._uri) and stays_here(run.info.artifact_uri)):
            figure = picture.draw()
            outcome = MISTAKES if figure else "none"
            if figure:
                with warnings.catch_warnings(action="ignore", category=UserWarning):  # a letter that no font has
                    self._client.log_figure(run.info.run_id, figure, MISTAKES)
        self._client.set_tag(run.info.run_id, "mistakes", outcome)

    def _refresh_seed(self, run: "Run", seed_run: SeedRun) -> None:
        """What may be new of a run that is logged already: a metric, its status, who uses it."""
        self._log_metrics(run, seed_run.final_metrics())
        if run.data.tags["status"] != seed_run.status:
            self._client.set_tag(run.info.run_id, "status", seed_run.status)
        self._add_experiment_name(run)

    @contextmanager
    def _finishing(self, run: "Run") -> Iterator[None]:
        """Marks a new ``run`` as failed where the block raises."""
        try:
            yield
        except BaseException:
            with suppress(Exception), self._waiting.at_most(**OPENING):  # the store may be what failed
                if run.info.status != "FINISHED":
                    self._client.set_terminated(run.info.run_id, "FAILED")
            raise

    def _end(self, run: "Run", end_ms: int) -> None:
        """Marks ``run`` as finished at ``end_ms``, in milliseconds since 1970, unless that is what it says."""
        if (run.info.status, run.info.end_time) != ("FINISHED", end_ms):
            self._client.set_terminated(run.info.run_id, "FINISHED", end_ms)

    def _log_parameters(self, run: "Run", values: Mapping[str, str]) -> None:
        from mlflow.entities import Param

        self._client.log_batch(run.info.run_id, params=[Param(name, value) for name, value in values.items()])

    def _log_data(self, run: "Run", seed_run: SeedRun) -> None:
        from mlflow.entities import Dataset, DatasetInput, InputTag

        data = logged.data(seed_run.record)
        dataset = Dataset(data.name, data.digest, "local", "{}", profile=data.profile)
        tags = [InputTag("mlflow.data.context", "training, validation, test")]
        self._client.log_inputs(run.info.run_id, [DatasetInput(dataset, tags)])

    def _log_metrics(self, run: "Run", values: Mapping[str, float]) -> None:
        """Logs what ``run`` does not hold yet; MLflow's SQLite store has no place for NaN."""
        changed = {k: v for k, v in values.items() if math.isfinite(v) and run.data.metrics.get(k) != v}
        self._log_points(run, [(name, value, 0) for name, value in changed.items()])

    def _log_points(self, run: "Run", points: Sequence[tuple[str, float, int]]) -> None:
        from mlflow.entities import Metric

        now_ms = round(1000 * time.time())
        metrics = [Metric(name, value, now_ms, step) for name, value, step in points]
        for start in range(0, len(metrics), METRICS_A_CALL):
            self._client.log_batch(run.info.run_id, metrics=metrics[start : start + METRICS_A_CALL])

    def _add_experiment_name(self, run: "Run") -> None:
        names, own = run.data.tags.get(EXPERIMENTS, "").split(), self._tags.get(EXPERIMENTS)
        if own and own not in names:
            self._client.set_tag(run.info.run_id, EXPERIMENTS, " ".join([*names, own]))

    def _new_version(self, name: str, run: "Run", seed_run: SeedRun) -> str:
        from mlflow.entities import LoggedModelOutput

        tags = {key: run.data.tags[key] for key in ("fingerprint", "setting")}
        model = self._client.create_logged_model(run.info.experiment_id, name, run.info.run_id, tags)
        with tempfile.TemporaryDirectory() as temporary:
            target = Path(temporary) / "model"
            write_model_folder(target, seed_run, run.info.run_id, model.model_id)
            self._client.log_model_artifacts(model.model_id, str(target))
        self._client.finalize_logged_model(model.model_id, "READY")
        self._client.log_outputs(run.info.run_id, [LoggedModelOutput(model.model_id, 0)])
        note = f"{tags['setting']}, seed {seed_run.record['seed']}: the best on validation when it was registered."
        version = self._client.create_model_version(
            name, model.artifact_location, run.info.run_id, tags, description=note, model_id=model.model_id
        )
        return str(version.version)


def _import_mlflow_silently() -> None:
    """Imports MLflow with its telemetry off, and no word on tables made or versions registered."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ["DO_NOT_TRACK"] = "true"
    import mlflow  # noqa: F401

    logging.getLogger("mlflow").setLevel(logging.ERROR)
    logging.getLogger("alembic").setLevel(logging.ERROR)
