"""What is written of a run in MLflow, in as few calls as it allows: each is one transaction of its store."""

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from cxrbench.tracking.data_set import DataSet
from cxrbench.tracking.logged import TIMINGS, SeedRun
from cxrbench.tracking.provenance import EXPERIMENTS, joined

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Run

BATCH = 1000  # metrics and parameters a call: MLflow's own limit


class Records:
    """Writes to the runs of the store that ``client`` talks to."""

    def __init__(self, client: "MlflowClient") -> None:
        self._client = client

    def new_run(self, experiment: str, name: str, tags: Mapping[str, str], began: float) -> "Run":
        return self._client.create_run(experiment, round(1000 * began), dict(tags), name)

    def log_data(self, run: "Run", data: Iterable[DataSet]) -> None:
        from mlflow.entities import Dataset, DatasetInput, InputTag

        inputs = [
            DatasetInput(
                Dataset(one.name, one.digest, "local", "{}", profile=one.profile),
                [InputTag("mlflow.data.context", one.part)],
            )
            for one in data
        ]
        if inputs:
            self._client.log_inputs(run.info.run_id, inputs)

    def log_metrics(
        self, run: "Run", values: Mapping[str, float], time_ms: int | None, data: Sequence[DataSet] = ()
    ) -> None:
        """Logs what a ``run`` that is there already does not hold yet.

        ``time_ms`` is for a run that holds no metric; a later value stands at the present time, after the earlier one.
        """
        changed = {name: value for name, value in values.items() if run.data.metrics.get(name) != value}
        if changed := {name: value for name, value in changed.items() if math.isfinite(value)}:
            now_ms = round(1000 * time.time()) if run.data.metrics or time_ms is None else time_ms
            outputs = run.outputs.model_outputs if run.outputs else []
            model = outputs[0].model_id if outputs else None
            self.log_batches(run, {}, metrics(run, changed, now_ms, data, model))

    def log_batches(self, run: "Run", parameters: Mapping[str, str], points: Sequence["Metric"]) -> None:
        """Logs parameters and metrics in as few calls, each one transaction, as MLflow allows."""
        from mlflow.entities import Param

        first = BATCH - len(parameters)
        own = [Param(name, value) for name, value in parameters.items()]
        self._client.log_batch(run.info.run_id, metrics=points[:first], params=own)
        for start in range(first, len(points), BATCH):
            self._client.log_batch(run.info.run_id, metrics=points[start : start + BATCH])

    def add_experiments(self, run: "Run", names: Iterable[str]) -> None:
        before = run.data.tags.get(EXPERIMENTS, "")
        if (after := joined([*before.split(), *names])) != before:
            self._client.set_tag(run.info.run_id, EXPERIMENTS, after)


def curves(seed_run: SeedRun) -> list["Metric"]:
    from mlflow.entities import Metric

    return [Metric(one.metric, one.value, one.time_ms, one.epoch) for one in seed_run.history()]


def metrics(
    run: "Run", values: Mapping[str, float], time_ms: int, data: Sequence[DataSet], model: str | None
) -> list["Metric"]:
    """``values`` as metrics of ``run``, of its ``model`` and of the part of the data that each was taken on.

    Without those that are no number: MLflow's SQLite store has no place for NaN.
    """
    from mlflow.entities import Metric

    found = []
    for name, value in values.items():
        if not math.isfinite(value):
            continue
        of = next((one for one in data if name.startswith(f"{one.part}_") and name not in TIMINGS), None)
        linked = of if model else None
        found.append(
            Metric(
                name,
                value,
                time_ms,
                step=0,
                model_id=model,
                dataset_name=linked.name if linked else None,
                dataset_digest=linked.digest if linked else None,
                run_id=run.info.run_id,
            )
        )
    return found
