"""The view filter's work: which trained networks count, what their mean says of every image, what is kept.

Metadata decide first; the mean of the seeds' networks decides what they leave open.
"""

import dataclasses
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.progress import progress
from cxrbench.config.setting import Setting
from cxrbench.config.studies import PlannedRun
from cxrbench.evaluation.metrics import evaluate
from cxrbench.runs import average, plan
from cxrbench.runs.store import MODEL, RunStore
from cxrbench.views import decide, sampling, stored, stream

FRONTAL = sampling.TARGET["frontal"]
IMAGE = ["source", "image_id"]  # what names an image of a run


@dataclasses.dataclass(frozen=True)
class Kept:
    """The frontal images, what a person should look at, and the figures of both."""

    frontal: pd.DataFrame
    review: pd.DataFrame
    metrics: dict[str, Any]

    def __str__(self) -> str:
        return (
            "{frontal:,} of {images:,} images are frontal ({frontal_by_network:,} by the network), {lateral:,} lateral,"
            " {abstained:,} undecided".format(**self.metrics)
        )


def keep_frontal(
    images: pd.DataFrame,
    assignment: pd.DataFrame,
    scores: Mapping[int, pd.DataFrame],
    seeds: Sequence[int],
    model: stored.ViewModel,
    workers: int,
) -> Kept:
    """The frontal images of the manifest ``images``.

    ``assignment`` says which of them the networks learnt from, ``scores`` what each seed's network said of the others
    of known view; ``model`` is the mean of the networks of ``seeds``.
    """
    mean = mean_scores([scores[seed] for seed in seeds])
    frontal, review = decide.decide(
        images.assign(view_score=_view_scores(images, mean, assignment, model, workers)), model.abstain
    )
    judged = {**{f"seed_{seed}": table for seed, table in scores.items()}, "mean": mean}
    return Kept(frontal, review, _metrics(images, frontal, review, judged, model.abstain))


def train_networks(
    setting: Setting, seeds: Sequence[int], assignment: pd.DataFrame, store: RunStore, cache: Path, workers: int | None
) -> dict[int, Path]:
    """Seed -> the folder of its run in ``store``, trained where it is missing."""
    runs = [PlannedRun("view-network", "base", setting, seed) for seed in seeds]
    return dict(zip(seeds, map(store.path, plan.train_missing(runs, assignment, store, cache, workers))))


def usable_seeds(scores: Mapping[int, pd.DataFrame]) -> list[int]:
    """The seeds whose networks are used: those that tell views apart, else those that at least give numbers."""
    status = {seed: _judged(table, "validation")[0] for seed, table in scores.items()}
    for wanted in ("ok", "degenerate"):
        if usable := [seed for seed, its in status.items() if its == wanted]:
            return usable
    raise CxrbenchError(
        f"the view network diverged with every one of {len(status)} seeds, so there is none to tell views with;"
        " lower views.setting.lr"
    )


def hand_on(
    runs: Sequence[Path], out: Path, setting: Setting, abstain: tuple[float, float], trained_on: stored.TrainedOn
) -> stored.ViewModel:
    """Writes the mean of the networks of ``runs``, and how to use it, into ``out``, where ``cxrbench views`` looks."""
    names = " + ".join(run.name for run in runs)
    model = stored.ViewModel(out / MODEL, setting.loss, setting.image_size, setting.resize, abstain, names, trained_on)
    with tempfile.TemporaryDirectory() as folder:
        average.write([run / MODEL for run in runs], Path(folder) / MODEL)
        return stored.save(Path(folder) / MODEL, model)


def mean_scores(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Scores of the mean of several networks that scored the same images."""
    ordered = [table.sort_values(IMAGE, ignore_index=True) for table in tables]
    return ordered[0].assign(score=sum(table["score"] for table in ordered) / len(ordered))


def _judged(scores: pd.DataFrame, part: str) -> tuple[str, float]:
    """Whether a network's scores on a part are ok, degenerate or diverged, and its accuracy."""
    rows = scores[scores["part"] == part]
    status, metrics = evaluate(rows["target"].to_numpy(), rows["score"].to_numpy())
    return status, metrics["accuracy"]


def _view_scores(
    images: pd.DataFrame, scored: pd.DataFrame, assignment: pd.DataFrame, model: stored.ViewModel, workers: int
) -> pd.Series:
    """P(frontal) of each image: from the run itself for those it validated and tested, NaN for those it learnt from."""
    names = pd.MultiIndex.from_frame(images[["cohort", "image_id"]])
    score = scored.set_index(IMAGE)["score"].reindex(names).set_axis(images.index)
    unseen = images[~names.isin(pd.MultiIndex.from_frame(assignment[IMAGE]))]
    if len(unseen):
        files = [
            stream.File(row.path, model.resize_for(row.cohort), row.sha256)
            for row in unseen[["path", "cohort", "sha256"]].itertuples()
        ]
        scores = []
        with progress("images of open view or other cohorts", len(unseen)) as advance:
            for each in stream.score_files(files, model, workers):
                if each.refusal:
                    raise each.refusal
                scores.append(each.score)
                advance(1, "")
        score[unseen.index] = scores
    return score


def _metrics(
    images: pd.DataFrame,
    frontal: pd.DataFrame,
    review: pd.DataFrame,
    judged: Mapping[str, pd.DataFrame],
    abstain: tuple[float, float],
) -> dict[str, Any]:
    """``judged``: the scores of each seed's network and of their mean, which is the one that is handed on."""
    abstained = int((review["reason"] != decide.DISAGREES).sum())
    tests = {name: scores[scores["part"] == "test"] for name, scores in judged.items()}
    accuracies = {
        f"{part}_accuracy": [_judged(scores, part)[1] for name, scores in judged.items() if name != "mean"]
        for part in ("validation", "test")
    }
    return {
        "images": len(images),
        "frontal": len(frontal),
        "frontal_by_network": int((frontal["view_by"] == "network").sum()),
        "lateral": len(images) - len(frontal) - abstained,
        "abstained": abstained,
        "disagreements": len(review) - abstained,
        **{name: round(float(np.nanmean(values)), 6) for name, values in accuracies.items()},  # NaN: a seed diverged
        "test_images": len(tests["mean"]),
        "errors": {
            name: decide.errors(test["target"].to_numpy() == FRONTAL, test["score"].to_numpy(), abstain)
            for name, test in tests.items()
        },
    }
