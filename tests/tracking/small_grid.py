"""A grid of four runs of two settings, trained as files alone, and what an MLflow store holds of it."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cxrbench.base.tables import TABLES
from cxrbench.config.setting import Setting
from cxrbench.config.studies import PlannedRun
from cxrbench.runs import average
from cxrbench.runs.outputs import grid_table
from cxrbench.runs.store import RunStore
from cxrbench.tracking.grid_tracker import GridTracker
from cxrbench.tracking.missing import Outcome, log_missing
from tests.stages import fake_runs

PLANNED = [PlannedRun("rate", f"lr={lr}", Setting(lr=lr), seed) for lr in (0.1, 0.001) for seed in (0, 1)]
SEEDS = [0, 1]
NAMES = {
    "lr=0.1", "lr=0.1 · seed 0", "lr=0.1 · seed 1",
    "lr=0.001", "lr=0.001 · seed 0", "lr=0.001 · seed 1", "lr=0.001 · mean of seeds 0, 1",
}  # fmt: skip
HOW = "'cxrbench track' logs it from the run store, without training"


def images() -> pd.DataFrame:
    ids = [f"i{k:02}" for k in range(60)]
    parts = ["train", "validation", "test"] * 20
    table = pd.DataFrame(dict.fromkeys(TABLES["assignment"], ""), index=range(60))
    target = [k // 3 % 2 for k in range(60)]
    sources = ["kaggle", "mimic"] * 30  # two, as the view network's images have
    own = {"cohort": "pneumonia", "source": sources, "image_id": ids, "sha256": ids, "patient_id": ids}
    labels = ["pneumonia" if one else "normal" for one in target]
    return table.assign(**own, target=target, label=labels, paper=parts, patient=parts)


def bytes_of_all(means: Any) -> None:
    """Stands in for the mean of networks where these are no networks."""
    for trained, target in means:
        target.write_bytes(b"".join(path.read_bytes() for path in trained))


class Grid:
    """The grid in the run store ``folder``/runs, and its tracker."""

    def __init__(self, folder: Path, restricted: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(average, "write_all", bytes_of_all)
        self.store, self.images, self.restricted = RunStore(folder / "runs"), images(), restricted
        self.table = grid_table(PLANNED, self.images)
        self.tracker = GridTracker(self.table, self.store, self.images, restricted, folder / "view.keras")

    def train(self, first: int = 0, last: int = len(PLANNED)) -> None:
        """Trains the runs from ``first`` to before ``last``, and tells the tracker of each."""
        for name, cell in list(zip(self.table["run"], PLANNED))[first:last]:
            accuracy = 0.5 if cell.setting.lr == 0.1 else 0.9 - cell.seed / 10
            if not self.store.has(name):
                fake_runs.write(self.store, name, cell, self.images, accuracy)
            self.tracker.on_run(name)

    def finish(self) -> None:
        self.tracker.finish(SEEDS)

    def log_missing(self, uri: str | None = None) -> Outcome:
        return log_missing(self.table, self.store, self.images, self.restricted, SEEDS, uri)


def forget_stores() -> None:
    """Ends the connections to databases that MLflow keeps in this process: a file may have been taken away."""
    from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore as Registry
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore as Runs
    from mlflow.tracking._model_registry.utils import _model_registry_store_registry as registries
    from mlflow.tracking._tracking_service.utils import _tracking_store_registry as stores

    for store in (Registry, Runs):
        for engine in store._engine_map.values():
            engine.dispose()
        store._engine_map.clear()
    for cached in (registries, stores):
        cached._get_store_with_resolved_uri.cache_clear()


def content(uri: str, study: str = "rate") -> dict[str, Any]:
    """All that the store ``uri`` says of a study and its models, without ids and without the time of logging."""
    from mlflow import MlflowClient

    found = MlflowClient(uri, registry_uri=uri)
    experiment = found.get_experiment_by_name(study)
    runs = found.search_runs([experiment.experiment_id])
    names = {run.info.run_id: run.info.run_name for run in runs}
    assert len(set(names.values())) == len(runs), sorted(names.values())
    models = found.search_logged_models([experiment.experiment_id])
    versions = found.search_model_versions(f"name = 'cxrbench-{study}'")
    aliases = found.get_registered_model(f"cxrbench-{study}").aliases
    by_version = {str(version.version): version.tags for version in versions}
    return {
        "note": experiment.tags,
        "runs": {run.info.run_name: _run(found, run, names) for run in runs},
        "models": sorted(str((m.name, m.status, m.tags, m.params, sorted(map(_linked, m.metrics)))) for m in models),
        "aliases": {alias: by_version[str(version)] for alias, version in aliases.items()},
    }


def _run(found: Any, run: Any, names: dict[str, str]) -> dict[str, Any]:
    tags = {**run.data.tags, "mlflow.parentRunId": names.get(run.data.tags.get("mlflow.parentRunId", ""))}
    histories = {name: found.get_metric_history(run.info.run_id, name) for name in run.data.metrics}
    paths = [""]
    files = []
    while paths:
        for one in found.list_artifacts(run.info.run_id, paths.pop() or None):
            (paths if one.is_dir else files).append(one.path)
    return {
        "times": (run.info.status, run.info.start_time, run.info.end_time),
        "tags": tags,
        "params": run.data.params,
        "points": {name: [(p.step, p.timestamp, p.value) for p in found] for name, found in histories.items()},
        "data": sorted(
            (one.dataset.name, one.dataset.digest, one.dataset.profile) for one in run.inputs.dataset_inputs
        ),
        "files": sorted(files),
        "models": len(run.outputs.model_outputs),
    }


def _linked(metric: Any) -> tuple[Any, ...]:
    return metric.key, metric.value, metric.timestamp, str(metric.dataset_name), str(metric.dataset_digest)
