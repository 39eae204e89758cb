"""What of a study is handed on to be used: the networks of its winner on validation, one a seed, and the best of them.

The choice is the one by which MLflow's registry gives the aliases 'best' and 'best-mean'.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cxrbench.base.errors import CxrbenchError
from cxrbench.evaluation.metrics import METRICS, evaluate
from cxrbench.evaluation.study_settings import StudySettings, run_of, splits_of
from cxrbench.evaluation.summaries import summarise, winner


@dataclasses.dataclass(frozen=True)
class Chosen:
    """The winner of a study."""

    study: str
    label: str  # of the setting
    setting: Mapping[str, Any]
    runs: Mapping[int, str]  # seed -> fingerprint, in order of the seeds
    best: int  # the seed whose run is the best on validation

    @property
    def redrawn(self) -> bool:
        """Whether each seed had a split of its own: then no image can test the mean of the networks."""
        return bool(self.setting.get("redraw", False))


def choose(study: str, settings: StudySettings, metrics: pd.DataFrame) -> Chosen:
    """The winner of ``study``, by the table 'metrics'.

    Raises CxrbenchError where there is no such study or no winner.
    """
    if study not in settings:
        raise CxrbenchError(f"there is no study {study!r}; the last dvc repro ran {', '.join(settings)}")
    were_run = run_of(settings[study])
    if not were_run:
        raise CxrbenchError(f"no setting of study {study} was run; data/train-grid/settings.json says why")
    rows = metrics[metrics["study"] == study]
    seeds = sorted(int(seed) for seed in rows["seed"].unique())
    label = winner(summarise(rows, study, list(were_run), seeds, splits_of(were_run)))
    if label is None:
        raise CxrbenchError(f"study {study} has no winner: at least one run of every setting diverged")
    own = rows[(rows["setting"] == label) & (rows["part"] == "validation")].sort_values("seed")
    runs = {int(seed): str(run) for seed, run in zip(own["seed"], own["run"])}
    order = own.sort_values(["accuracy", "loss"], ascending=[False, True], kind="stable")
    return Chosen(study, label, were_run[label], runs, int(order["seed"].iloc[0]))


def metrics_of_mean(scores: Sequence[pd.DataFrame]) -> dict[str, dict[str, float]]:
    """Part -> metric -> value of the mean of several networks, from each one's table 'scores' of the same images."""
    score = np.mean([table["score"] for table in scores], axis=0)
    found: dict[str, dict[str, float]] = {}
    for part in ("validation", "test"):
        images = (scores[0]["part"] == part).to_numpy()
        if images.any():
            _, values = evaluate(scores[0]["target"].to_numpy()[images], score[images])
            found[part] = {name: values[name] for name in METRICS}
    return found
