"""MLflow: an experiment a study, a parent run a setting, a child run a seed, the best models in the registry.

Logging the same thing again changes nothing but the list of DVC experiments that used it, so a later
``dvc repro`` or another ``dvc exp run`` makes no second run. All is logged after training, under a lock that all
processes of a workspace share. A run's Duration in MLflow is its time of training, a parent's the sum of its runs'.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from cxrbench.tracking import logged
from cxrbench.tracking.locality import stay_here
from cxrbench.tracking.logged import (
    BEST,
    BEST_MEAN,
    MISTAKES,
    WITHHELD,
    Choice,
    Draw,
    MeanRun,
    Picture,
    SeedRun,
    no_figures,
)
from cxrbench.tracking.models import Models
from cxrbench.tracking.opening import OPENING, Store, place_of
from cxrbench.tracking.provenance import EXPERIMENTS, joined, provenance_tags
from cxrbench.tracking.records import Records, curves, metrics

if TYPE_CHECKING:
    from mlflow.entities import Run

PARENT = "mlflow.parentRunId"


def open_tracker(uri: str | None = None) -> "Tracker":
    """The tracker of the user's own workspace, also from inside DVC's copies of it; ``uri`` names another store."""
    return Tracker(*place_of(uri), provenance_tags(Path.cwd()))


class Tracker:
    """Logs to the store ``uri``. ``folder`` holds the lock, ``artifact_root`` the artifacts; None leaves their place
    to the store. ``tags`` are for a run of which no provenance was kept."""

    def __init__(self, uri: str, folder: Path, artifact_root: Path | None, tags: Mapping[str, str]) -> None:
        self._uri, self._tags = uri, dict(tags)
        self._store = Store(uri, folder, artifact_root)
        self._client = self._store.client
        self._models, self._records = Models(self._client), Records(self._client)

    def describe(self, study: str, labels: Sequence[str]) -> None:
        """Says on the study's page what it asks: which of the settings ``labels`` is best."""
        with self._store.logging():
            self._client.set_experiment_tag(
                self._store.experiment(study), logged.NOTE, logged.study_note(study, labels)
            )

    def log_setting(
        self, study: str, label: str, runs: Sequence[SeedRun], draw: Draw = no_figures, picture: Picture | None = None
    ) -> int:
        """Logs the runs of one setting below its parent run; ``draw`` makes the figures of a new run, by name.

        ``picture`` is logged once. The parent covers every seed ever logged of the setting on the same data and
        code, so that more seeds may follow in a later call. Gives how many of ``runs`` were not logged before.
        """
        with self._store.logging():
            parent = self._parent(study, label, runs)
            with self._finishing(parent):
                known, new = {c.data.tags["fingerprint"]: c for c in self._seeds(parent)}, 0
                for run in runs:
                    child = known.get(run.record["run"])
                    if child and child.info.status == "FINISHED":
                        self._refresh_seed(child, run)
                        continue
                    if child:  # its process ended while it logged
                        self._models.discard(child)
                    self._log_seed(parent, label, run, draw)
                    new += 1
                if picture and parent.data.tags.get("mistakes", WITHHELD) == WITHHELD:
                    self._log_picture(parent, picture)
                done = [c for c in self._seeds(parent) if c.info.status == "FINISHED"]
                means = logged.summary((c.data.tags["status"], c.data.metrics) for c in done)
                self._records.log_metrics(parent, means, round(1000 * max(run.ended for run in runs)))
            self._end(parent, parent.info.start_time + sum(c.info.end_time - c.info.start_time for c in done))
        return new

    def register_best(self, study: str, label: str, seed_run: SeedRun, choice: Choice) -> bool:
        """Gives the alias 'best' to the model of a run that was logged, unless a better one has it; whether it did."""
        with self._store.logging():
            parent = self._find_parent(study, label, seed_run)
            children = self._seeds(parent) if parent else []
            found = [c for c in children if c.data.tags["fingerprint"] == seed_run.record["run"]]
            (run,) = (child for child in found if child.info.status == "FINISHED")

            def with_model() -> "Run":
                if not self._models.of(run):  # logged by a version that logged no models
                    self._models.log(run, run.info.run_name, seed_run.network, seed_run.model_tags(label))
                return run

            tags = seed_run.model_tags(label)
            note = f"{label}, seed {seed_run.record['seed']}: the best run on validation when it was registered."
            return self._models.promote(BEST, choice, tags, with_model, note)

    def would_register_mean(self, choice: Choice) -> bool:
        """Whether ``register_mean`` would give the alias away: making the network costs seconds."""
        with self._store.logging():
            present = self._models.aliased(choice.study, BEST_MEAN)
            return present is None or choice.beats(present.tags)

    def register_mean(self, study: str, label: str, mean: MeanRun, choice: Choice) -> bool:
        """Logs the mean of a setting's networks as a run of its own and gives it the alias 'best-mean', as above."""
        with self._store.logging():
            parent = self._find_parent(study, label, mean.of[0])
            assert parent is not None  # its runs were logged
            tags = mean.model_tags(label)
            note = f"{label}, the mean of the networks of seeds {mean.seeds}: the best setting when it was registered."
            return self._models.promote(BEST_MEAN, choice, tags, lambda: self._mean_run(parent, label, mean), note)

    def _find_parent(self, study: str, label: str, run: SeedRun) -> "Run | None":
        identity = logged.setting_tags(study, label, run)["identity"]
        found = self._client.search_runs(
            [self._store.experiment(study)], f"tags.identity = '{identity}'", max_results=1
        )
        return found[0] if found else None

    def _parent(self, study: str, label: str, runs: Sequence[SeedRun]) -> "Run":
        parent = self._find_parent(study, label, runs[0])
        names = [name for run in runs for name in self._provenance(run).get(EXPERIMENTS, "").split()]
        if parent is None:
            tags = {**self._provenance(runs[0]), **logged.setting_tags(study, label, runs[0])}
            if names:
                tags[EXPERIMENTS] = joined(names)
            parent = self._records.new_run(self._store.experiment(study), label, tags, min(run.began for run in runs))
        if parent.info.status != "FINISHED":
            self._records.log_batches(parent, logged.parameters(runs[0].record["setting"]), [])
            self._records.log_data(parent, runs[0].data)
        self._records.add_experiments(parent, names)
        return parent

    def _provenance(self, run: SeedRun) -> Mapping[str, str]:
        return run.provenance.tags or self._tags

    def _children(self, parent: "Run") -> list["Run"]:
        where = f"tags.{PARENT} = '{parent.info.run_id}'"
        return list(self._client.search_runs([parent.info.experiment_id], where, max_results=10_000))

    def _seeds(self, parent: "Run") -> list["Run"]:
        """The runs of single seeds below ``parent``."""
        return [child for child in self._children(parent) if "fingerprint" in child.data.tags]

    def _log_seed(self, parent: "Run", label: str, seed_run: SeedRun, draw: Draw) -> None:
        tags = {PARENT: parent.info.run_id, **self._provenance(seed_run), **seed_run.tags(label)}
        name, end_ms = f"{label} · seed {seed_run.record['seed']}", round(1000 * seed_run.ended)
        run = self._records.new_run(parent.info.experiment_id, name, tags, seed_run.began)
        with self._finishing(run):
            self._records.log_data(run, seed_run.data)
            model = (
                None
                if seed_run.status == "diverged"
                else self._models.log(run, name, seed_run.network, seed_run.model_tags(label))
            )
            final = metrics(run, seed_run.final_metrics(), end_ms, seed_run.data, model)
            self._records.log_batches(run, seed_run.parameters(), [*curves(seed_run), *final])
            self._client.log_artifact(run.info.run_id, str(seed_run.folder / "history.csv"))
            for title, figure in draw(seed_run).items():
                self._client.log_figure(run.info.run_id, figure, f"figures/{title}.png")
        self._end(run, end_ms)

    def _mean_run(self, parent: "Run", label: str, mean: MeanRun) -> "Run":
        """The finished run of a mean network, logged where it is not there yet."""
        for child in self._children(parent):
            if child.data.tags.get("networks") == mean.networks:
                if child.info.status == "FINISHED":
                    return child
                self._models.discard(child)
        note = f"The mean of the networks of {len(mean.of)} seeds of setting {label}, as one network."
        tags = {PARENT: parent.info.run_id, "networks": mean.networks, "setting": label, logged.NOTE: note}
        name, ended = f"{label} · mean of seeds {mean.seeds}", max(one.ended for one in mean.of)
        run = self._records.new_run(parent.info.experiment_id, name, {**self._provenance(mean.of[0]), **tags}, ended)
        with self._finishing(run):
            self._records.log_data(run, mean.of[0].data)
            model = self._models.log(run, name, mean.network, mean.model_tags(label))
            self._records.log_batches(run, {}, metrics(run, mean.metrics, round(1000 * ended), mean.of[0].data, model))
        self._end(run, round(1000 * ended))
        return run

    def _log_picture(self, run: "Run", picture: Picture) -> None:
        """Logs the picture, unless a restricted cohort's pixels would leave this machine; a tag says what was done."""
        outcome = WITHHELD
        if not picture.restricted or stay_here(self._uri, run.info.artifact_uri):
            figure = picture.draw()
            outcome = MISTAKES if figure else "none"
            if figure:
                with warnings.catch_warnings(action="ignore", category=UserWarning):  # a letter that no font has
                    self._client.log_figure(run.info.run_id, figure, MISTAKES)
        self._client.set_tag(run.info.run_id, "mistakes", outcome)

    def _refresh_seed(self, run: "Run", seed_run: SeedRun) -> None:
        """What may be new of a run that is logged already: a metric, its status, who uses it."""
        self._records.log_metrics(run, seed_run.final_metrics(), None, seed_run.data)
        if run.data.tags["status"] != seed_run.status:
            self._client.set_tag(run.info.run_id, "status", seed_run.status)
        self._records.add_experiments(run, self._provenance(seed_run).get(EXPERIMENTS, "").split())

    @contextmanager
    def _finishing(self, run: "Run") -> Iterator[None]:
        """Marks a new ``run`` as failed where the block raises."""
        try:
            yield
        except BaseException:
            with suppress(Exception), self._store.waiting.at_most(**OPENING):  # the store may be what failed
                if run.info.status != "FINISHED":
                    self._client.set_terminated(run.info.run_id, "FAILED")
            raise

    def _end(self, run: "Run", end_ms: int) -> None:
        """Marks ``run`` as finished at ``end_ms``, in milliseconds since 1970, unless that is what it says."""
        if (run.info.status, run.info.end_time) != ("FINISHED", end_ms):
            self._client.set_terminated(run.info.run_id, "FINISHED", end_ms)
