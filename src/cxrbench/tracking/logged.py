"""What tracking logs, as plain values: parameters, final metrics, means over seeds, and the words around them."""

import dataclasses
import functools
import hashlib
import json
import math
import re
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxrbench.base.tables import PARTS, read_table
from cxrbench.config.setting import Setting
from cxrbench.runs.fingerprint import fingerprint

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# A column of history.csv -> its metric. The prefix keeps a curve over epochs apart from the final metric of the kept
# model (validation_accuracy), and MLflow's charts put all that share a prefix into one section.
EPOCH = "epoch/"
EPOCH_METRICS = {
    "loss": f"{EPOCH}train_loss",
    "accuracy": f"{EPOCH}train_accuracy",
    "val_loss": f"{EPOCH}validation_loss",
    "val_accuracy": f"{EPOCH}validation_accuracy",
    "seconds": f"{EPOCH}seconds",
}
TIMINGS = ("first_epoch_seconds", "epoch_seconds", "train_seconds")
STATUSES = ("ok", "degenerate", "diverged")
ANY_SEED = -1  # no run has it: its fingerprint is that of all but the seed
BEST = "best"
NOTE = "mlflow.note.content"
MISTAKES = "mistakes.png"
WITHHELD = "withheld: the cohort is restricted and this store is not on the machine that trained"
DIGEST_LETTERS = 8  # as many as the column Dataset has room for; the profile holds the whole digest


@dataclasses.dataclass(frozen=True)
class SeedRun:
    """One trained run of a setting, as it is to be tracked."""

    folder: Path  # holds run.json, history.csv and model.keras
    metrics: Mapping[str, float]  # the final ones, e.g. validation_accuracy; NaN: undefined
    status: str  # ok | degenerate | diverged

    @functools.cached_property
    def record(self) -> dict[str, Any]:
        record: dict[str, Any] = json.loads((self.folder / "run.json").read_text(encoding="utf-8"))
        return record

    @property
    def ended(self) -> float:
        """When training ended, in seconds since 1970: run.json is the last file that it writes."""
        return (self.folder / "run.json").stat().st_mtime

    @property
    def began(self) -> float:
        """When training would have begun without a pause, in seconds since 1970."""
        return self.ended - float(self.record["train_seconds"])

    def final_metrics(self) -> dict[str, float]:
        return {**{name: self.record[name] for name in TIMINGS}, **self.metrics}

    def history(self) -> list[tuple[str, float, int]]:
        """Metric, value and epoch of every point of the training history that is a number."""
        table = read_table(self.folder / "history.csv", "history").set_index("epoch")
        return [
            (metric, float(value), int(epoch))
            for column, metric in EPOCH_METRICS.items()
            for epoch, value in table[column].items()
            if math.isfinite(value)
        ]

    def parameters(self) -> dict[str, str]:
        extra = {"seed": self.record["seed"], "model_parameters": self.record["parameters"]}
        return parameters({**self.record["setting"], **extra})

    def tags(self, label: str) -> dict[str, str]:
        record = self.record
        note = (
            f"Seed {record['seed']} of setting {label}: {self.status}; {record['epochs_done']} epochs, the model is"
            f" that of epoch {record['checkpoint_epoch']}."
        )
        environment = {f"environment.{name}": value for name, value in record["environment"].items()}
        own = {"fingerprint": record["run"], "setting": label, "status": self.status, NOTE: note}
        return {**own, **environment}


@dataclasses.dataclass(frozen=True)
class Picture:
    """A figure of a setting that shows images of its cohort; ``draw`` gives None where there is nothing to show."""

    draw: "Callable[[], Figure | None]"
    restricted: bool  # its pixels must not leave this machine


Draw = Callable[[SeedRun], Mapping[str, "Figure"]]


def no_figures(run: SeedRun) -> Mapping[str, "Figure"]:
    return {}


def parameters(values: Mapping[str, Any]) -> dict[str, str]:
    """Values as MLflow shows them; of a weights file its name without the folder, which helps on one machine only."""
    return {name: Path(value).name if name == "weights" and value else str(value) for name, value in values.items()}


def setting_identity(study: str, label: str, record: Mapping[str, Any]) -> str:
    """16 hex digits for a setting of a study, its data and the training code, whatever its seeds are."""
    seedless = fingerprint(Setting(**record["setting"]), ANY_SEED, record["data"]["sha256"])
    return hashlib.sha256(json.dumps([study, label, seedless]).encode()).hexdigest()[:16]


def summary(runs: Iterable[tuple[str, Mapping[str, float]]]) -> dict[str, float]:
    """Mean, sample SD (from two runs on) and n of each final metric, from the status and metrics of each run.

    A diverged run is counted and kept out of every mean.
    """
    runs = list(runs)
    values: dict[str, list[float]] = {}
    for status, metrics in runs:
        for name in metrics if status != "diverged" else ():
            if name.startswith(EPOCH):
                continue
            values.setdefault(name, []).append(metrics[name])
    result: dict[str, float] = {"runs": len(runs)}
    for status in STATUSES[1:]:
        result[f"runs_{status}"] = sum(status == found for found, _ in runs)
    for name, found in sorted(values.items()):
        result[f"{name}_mean"] = statistics.fmean(found)
        result[f"{name}_n"] = len(found)
        if len(found) > 1:
            result[f"{name}_sd"] = statistics.stdev(found)
    return result


@dataclasses.dataclass(frozen=True)
class Data:
    """The images that a run was trained and scored on, as MLflow's data set: no image and no path."""

    name: str  # cohort and protocol
    digest: str  # the start of the sha256 over image bytes, parts, targets and patients
    profile: str  # JSON: images in each part, the whole sha256


def data(record: Mapping[str, Any]) -> Data:
    """The data of a run's record."""
    counts = {part: record["data"][part] for part in PARTS if part in record["data"]}
    profile = {"num_rows": sum(counts.values()), **counts, "sha256": record["data"]["sha256"]}
    name = f"{record['setting']['cohort']}, {record['setting']['protocol']}"
    return Data(name, record["data"]["sha256"][:DIGEST_LETTERS], json.dumps(profile))


def model_name(study: str) -> str:
    """The study's name in the model registry."""
    return "cxrbench-" + re.sub(r"[^\w.-]+", "-", study)


def study_note(study: str, labels: Sequence[str]) -> str:
    """What the study asks and how its table of runs is read."""
    question = f"{', '.join(labels)}: which does best, all else alike?"
    if len(labels) == 1:
        question = f"{labels[0]}: how well does it do, and how much does the seed alone change?"
    return (
        f"{question}\n\nOne run a setting, with mean, sample SD and n (seeds) of each final metric; below it one run"
        f" a seed. The best is named on validation; its model is models:/{model_name(study)}@{BEST}."
    )


def setting_tags(study: str, label: str, record: Mapping[str, Any]) -> dict[str, str]:
    """What marks a setting's parent run."""
    note = f"Setting {label} of study {study}: means over its seeds; a diverged run is counted, not averaged."
    return {"identity": setting_identity(study, label, record), "setting": label, NOTE: note}
