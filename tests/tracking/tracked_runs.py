"""Small run folders to track, and what the store of a workspace then holds."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cxrbench.base.tables import write_table
from cxrbench.config.setting import Setting
from cxrbench.tracking.data_set import DataSet
from cxrbench.tracking.logged import SeedRun

STUDY, LABEL = "learning-rate", "lr=0.001"
DATA = tuple(
    DataSet(
        f"pneumonia/paper/{part}", part, digest * 8,
        json.dumps({"num_rows": 4, "normal": 2, "pneumonia": 2, "sha256": digest * 64}),
    )
    for part, digest in (("train", "a"), ("validation", "b"), ("test", "c"))
)  # fmt: skip
ENVIRONMENT = {"python": "3.11", "keras": "3.15.1", "backend": "tensorflow", "tensorflow": "2.21.0"}


def write_run(folder: Path, seed: int, setting: Setting, losses: list[float]) -> None:
    folder.mkdir(parents=True)
    epochs = np.arange(1, len(losses) + 1)
    table = {"epoch": epochs, "loss": losses, "accuracy": 0.9, "val_loss": losses, "val_accuracy": 0.8, "seconds": 1.0}
    write_table(folder / "history.csv", pd.DataFrame(table), "history")
    names = [f"i{k}" for k in range(8)]
    images = {"source": "pneumonia", "image_id": names, "patient_id": names, "part": "validation"}
    scores = pd.DataFrame(images).assign(target=[0, 1] * 4, score=[0.2, 0.8] * 4)
    write_table(folder / "scores.csv", scores, "scores")
    record = {
        "run": folder.name,
        "setting": setting.model_dump(),
        "seed": seed,
        "parameters": 7,
        "epochs_done": len(losses),
        "checkpoint_epoch": len(losses),
        **dict.fromkeys(("first_epoch_seconds", "epoch_seconds", "train_seconds"), 1.5),
        "data": {"sha256": "a" * 64, "test": 5, "train": 20, "validation": 10},
        "environment": ENVIRONMENT,
    }
    (folder / "run.json").write_text(json.dumps(record))
    (folder / "model.keras").write_bytes(b"weights")


def seed_run(folder: Path, seed: int, value: float = 0.9, setting: Setting | None = None, **other: Any) -> SeedRun:
    """A run of ``setting`` and ``seed``, written into a folder of ``folder`` where it is not there yet."""
    setting = setting or Setting()
    place = folder / f"{seed:08x}{round(setting.lr * 1e6):08x}"
    if not place.exists():
        write_run(place, seed, setting, other.get("losses", [0.5, 0.25]))
    return SeedRun(place, {"validation_accuracy": value, "test_auc": value / 2}, other.get("status", "ok"), DATA)


def client(workspace: Path) -> Any:
    from mlflow import MlflowClient

    uri = f"sqlite:///{workspace / 'mlruns' / 'mlflow.db'}"
    return MlflowClient(uri, registry_uri=uri)


def runs_by_name(workspace: Path, study: str = STUDY) -> dict[str, Any]:
    """The study's runs by name; fails where two share one."""
    found = client(workspace).search_runs([client(workspace).get_experiment_by_name(study).experiment_id])
    names = [run.info.run_name for run in found]
    assert len(set(names)) == len(names), names
    return dict(zip(names, found))


def content(workspace: Path) -> list[tuple[Any, ...]]:
    """All that the store says of every run, comparable."""
    found = runs_by_name(workspace).values()
    return sorted(
        (r.info.run_id, r.info.end_time, str(r.data.metrics), str(r.data.tags), str(r.data.params)) for r in found
    )
