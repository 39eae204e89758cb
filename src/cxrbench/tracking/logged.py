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

from cxrbench.base.tables import read_table
from cxrbench.config.setting import Setting
from cxrbench.evaluation.usage import Usage, usage_of
from cxrbench.runs.fingerprint import fingerprint
from cxrbench.tracking.data_set import DataSet
from cxrbench.tracking.model_name import model_name
from cxrbench.tracking.provenance import Provenance

if TYPE_CHECKING:
    import pandas as pd
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
BEST, BEST_MEAN = "best", "best-mean"  # the best run of a study, and the mean of its setting's networks
METRIC_OF_CHOICE = "validation_accuracy"
NOTE = "mlflow.note.content"
MISTAKES = "mistakes.png"
WITHHELD = "withheld: the cohort is restricted, and this store may keep files off the machine that trained"


@dataclasses.dataclass(frozen=True)
class Point:
    """A value of a metric."""

    metric: str
    value: float
    epoch: int
    time_ms: int  # milliseconds since 1970


@dataclasses.dataclass(frozen=True)
class SeedRun:
    """One trained run of a setting, as it is to be tracked."""

    folder: Path  # holds run.json, history.csv and model.keras
    metrics: Mapping[str, float]  # the final ones, e.g. validation_accuracy; NaN: undefined
    status: str  # ok | degenerate | diverged
    data: tuple[DataSet, ...] = ()
    provenance: Provenance = dataclasses.field(default_factory=Provenance)
    labels: tuple[str, str] = ("negative", "positive")  # the names of targets 0 and 1
    view: Path | None = None  # the view network of this data, with its .json beside it

    @functools.cached_property
    def record(self) -> dict[str, Any]:
        record: dict[str, Any] = json.loads((self.folder / "run.json").read_text(encoding="utf-8"))
        return record

    @property
    def network(self) -> "Network":
        record = self.record
        usage = usage_of_mean([self])
        return Network(self.folder / "model.keras", record["setting"], record["environment"], usage, self.view)

    @property
    def scores(self) -> "pd.DataFrame":
        """The table 'scores'."""
        return read_table(self.folder / "scores.csv", "scores")

    @functools.cached_property
    def ended(self) -> float:
        """When training ended, in seconds since 1970: run.json is the last file that it writes."""
        return (self.folder / "run.json").stat().st_mtime

    @property
    def began(self) -> float:
        """When training would have begun without a pause, in seconds since 1970."""
        return self.ended - float(self.record["train_seconds"])

    def final_metrics(self) -> dict[str, float]:
        return {**{name: self.record[name] for name in TIMINGS}, **self.metrics}

    def history(self) -> list[Point]:
        """Every point of the training history that is a number, at the time when its epoch ended."""
        table = read_table(self.folder / "history.csv", "history")
        times_ms = [round(1000 * (self.began + seconds)) for seconds in table["seconds"].cumsum()]
        return [
            Point(metric, float(value), int(epoch), time_ms)
            for column, metric in EPOCH_METRICS.items()
            for epoch, value, time_ms in zip(table["epoch"], table[column], times_ms)
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

    def model_tags(self, label: str) -> dict[str, str]:
        return {"kind": "run", "fingerprint": self.record["run"], "setting": label, "seed": str(self.record["seed"])}


@dataclasses.dataclass(frozen=True)
class Network:
    """A trained network's file, and what its users need to know."""

    file: Path
    setting: Mapping[str, Any]
    environment: Mapping[str, str]
    usage: Usage
    view: Path | None  # the network that tells frontal from lateral; None: nothing does


def usage_of_mean(runs: "Sequence[SeedRun]") -> Usage:
    """How the mean of the networks of a setting's runs is used."""
    return usage_of(runs[0].record["setting"], [run.scores for run in runs], runs[0].labels)


@dataclasses.dataclass(frozen=True)
class MeanRun:
    """The mean of the networks of a setting's seeds, one network itself."""

    of: Sequence[SeedRun]
    file: Path
    metrics: Mapping[str, float]  # of the mean of their scores

    @property
    def networks(self) -> str:
        """The fingerprints of the runs whose networks these are."""
        return " ".join(sorted(one.record["run"] for one in self.of))

    @property
    def network(self) -> Network:
        return dataclasses.replace(self.of[0].network, file=self.file, usage=usage_of_mean(self.of))

    @property
    def seeds(self) -> str:
        return ", ".join(str(seed) for seed in sorted(one.record["seed"] for one in self.of))

    def model_tags(self, label: str) -> dict[str, str]:
        return {"kind": "mean", "fingerprint": self.networks, "setting": label, "seed": self.seeds}


@dataclasses.dataclass(frozen=True)
class Choice:
    """By what a model became a study's best."""

    study: str
    experiment: str
    accuracy: float  # the model's own, on validation
    loss: float  # cross-entropy in nats, on validation
    data: str  # the study's validation images, as ``digest_of_validation`` names them

    def tags(self) -> dict[str, str]:
        return {
            "chosen.metric": METRIC_OF_CHOICE,
            "chosen.value": str(self.accuracy),
            "chosen.loss": str(self.loss),
            "chosen.study": self.study,
            "chosen.experiment": self.experiment,
            "chosen.data": self.data,
        }

    def beats(self, tags: Mapping[str, str]) -> bool:
        """Whether the model is better than the one of these ``tags``.

        True where that one was judged on other images or by a version that left no such tags: then no comparison is
        possible, and the alias goes to the model of the present data.
        """
        if tags.get("chosen.data") != self.data:
            return True
        return (self.accuracy, -self.loss) > (float(tags["chosen.value"]), -float(tags["chosen.loss"]))


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


def seedless(record: Mapping[str, Any], data_sha256: str = "") -> str:
    """The fingerprint of all but the seed, by the present code.

    ``data_sha256`` stands for the run's own data where these depend on its seed, on a redrawn split.
    """
    return fingerprint(Setting(**record["setting"]), ANY_SEED, data_sha256 or record["data"]["sha256"])


def setting_identity(study: str, label: str, record: Mapping[str, Any], kept: str = "") -> str:
    """16 hex digits for a setting of a study, its data and the training code, whatever its seeds are.

    ``kept`` is what ``seedless`` was when the run was trained.
    """
    return hashlib.sha256(json.dumps([study, label, kept or seedless(record)]).encode()).hexdigest()[:16]


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


def logged_model_name(text: str) -> str:
    """``text`` without the letters that MLflow refuses in the name of a logged model; 0.01 is written 0·01."""
    return re.sub(r"[/:%\"']", "-", text.replace(".", "·"))


def study_note(study: str, labels: Sequence[str]) -> str:
    """What the study asks and how its table of runs is read."""
    question = f"{', '.join(labels)}: which does best, all else alike?"
    if len(labels) == 1:
        question = f"{labels[0]}: how well does it do, and how much does the seed alone change?"
    return (
        f"{question}\n\nOne run a setting, with mean, sample SD and n (seeds) of each final metric; below it one run"
        f" a seed. The best is named on validation: models:/{model_name(study)}@{BEST} is the best run's network,"
        f" @{BEST_MEAN} the mean of its setting's."
    )


def setting_tags(study: str, label: str, run: SeedRun) -> dict[str, str]:
    """What marks the parent run of a setting; ``run`` is one of its runs."""
    note = f"Setting {label} of study {study}: means over its seeds; a diverged run is counted, not averaged."
    identity = setting_identity(study, label, run.record, run.provenance.seedless)
    return {"identity": identity, "setting": label, NOTE: note}
