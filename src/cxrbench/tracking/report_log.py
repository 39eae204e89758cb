"""The report in MLflow: a run a report, with its page as an artifact and its key figures as metrics; and the
model cards that lie beside it, with the registered models that they speak of.

The page holds no pixel of a restricted cohort. It does hold names of its images and counts of its patients, so it goes
where their pixels may go, and nowhere else. MLflow neither decides about a report nor holds it up.
"""

import hashlib
import json
import math
import re
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

from cxrbench.base import workspace
from cxrbench.base.errors import CxrbenchError
from cxrbench.tracking.card_log import log_cards
from cxrbench.tracking.failure import reason
from cxrbench.tracking.locality import stay_here
from cxrbench.tracking.opening import Store, place_of, sqlite_file
from cxrbench.tracking.provenance import EXPERIMENTS, joined, provenance_tags

if TYPE_CHECKING:
    from mlflow.entities import Metric, Run

EXPERIMENT = "cxrbench report"
NAME = "report"  # of a run outside a DVC experiment
PAGE, FIGURES, CARDS = "report.html", "metrics.json", "cards"  # in the folder of a report
DIGEST = "report.sha256"
OUTCOME = "report"  # the tag that says what became of the page
WITHHELD = "withheld: a cohort is restricted, and this store may keep files off the machine that made the report"
PATIENCE_S = 60  # seconds that the report stage waits for MLflow
NOTE = "The claims by verdict, and of each study its winner's accuracy; the page is the artifact report.html."


def attach_after_the_stage(folder: Path, restricted: Collection[str]) -> None:
    """Attaches the report in ``folder`` to the workspace's store, or says in one sentence why it is not attached.

    Raises nothing and waits at most PATIENCE_S seconds. Does nothing where the workspace has no store yet: then
    no run was tracked that the report could stand beside.
    """
    database = sqlite_file(workspace.tracking_uri())
    if database and not database.exists():
        return
    failures = [f"MLflow did nothing for {PATIENCE_S} s"]

    def work() -> None:
        try:
            attach(folder, restricted)
            failures.clear()
        except Exception as error:  # whatever MLflow, its store or a place of artifacts raises
            failures[:] = [f"MLflow failed: {reason(error)}"]

    thread = Thread(target=work, name="MLflow", daemon=True)
    thread.start()
    thread.join(PATIENCE_S)
    for failure in failures[:1]:
        print(f"{failure}; the report is not attached. 'cxrbench track' attaches it", file=sys.stderr, flush=True)


def attach_or_fail(folder: Path, restricted: Collection[str], uri: str | None = None) -> str:
    """``attach``, whose failure is a CxrbenchError of one sentence."""
    try:
        return attach(folder, restricted, uri)
    except Exception as error:
        raise CxrbenchError(f"MLflow failed: {reason(error)}; {folder / PAGE} is not attached") from None


def attach(folder: Path, restricted: Collection[str], uri: str | None = None) -> str:
    """Attaches the report in ``folder`` and its cards to the store ``uri`` (default: the workspace's).

    Gives the tag that says what became of the page. The same page is one run, however often it is attached.
    Raises what MLflow raises.
    """
    page = folder / PAGE
    digest = hashlib.sha256(page.read_bytes()).hexdigest()
    figures: dict[str, float | None] = json.loads((folder / FIGURES).read_text(encoding="utf-8"))
    store, tags = Store(*place_of(uri)), provenance_tags(Path.cwd())
    with store.logging():
        run = _run(store, digest, tags)
        if run.info.status != "FINISHED":  # also one whose process ended while it logged
            store.client.log_batch(run.info.run_id, metrics=_metrics(figures, run.info.start_time))
        outcome = run.data.tags.get(OUTCOME, WITHHELD)
        if outcome == WITHHELD and (not restricted or stay_here(store.uri, run.info.artifact_uri)):
            store.client.log_artifact(run.info.run_id, str(page))
            outcome = PAGE
        store.client.set_tag(run.info.run_id, OUTCOME, outcome)
        if run.info.status != "FINISHED":
            store.client.set_terminated(run.info.run_id, "FINISHED")
        log_cards(store, folder / CARDS)
    return outcome


def _run(store: Store, digest: str, tags: Mapping[str, str]) -> "Run":
    """The run of the page of this digest, made where there is none."""
    experiment = store.experiment(EXPERIMENT)
    found: list[Any] = store.client.search_runs([experiment], f"tags.`{DIGEST}` = '{digest}'", max_results=1)
    if not found:
        own = {DIGEST: digest, "mlflow.note.content": NOTE}
        return store.client.create_run(experiment, tags={**tags, **own}, run_name=tags.get(EXPERIMENTS, NAME))
    before = found[0].data.tags.get(EXPERIMENTS, "")
    if (after := joined([*before.split(), *tags.get(EXPERIMENTS, "").split()])) != before:
        store.client.set_tag(found[0].info.run_id, EXPERIMENTS, after)
    return found[0]


def _metrics(figures: Mapping[str, float | None], time_ms: int) -> list["Metric"]:
    """The figures that are numbers; MLflow takes few letters in a metric's name, a study may have any."""
    from mlflow.entities import Metric

    return [
        Metric(re.sub(r"[^\w.-]+", "-", name), float(value), time_ms, 0)
        for name, value in figures.items()
        if value is not None and math.isfinite(value)
    ]
