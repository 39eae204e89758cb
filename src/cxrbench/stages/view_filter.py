"""view-filter: keep what is frontal. Metadata first, the trained network for what they leave open."""

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cxrbench.base.entry import run
from cxrbench.base.errors import CxrbenchError
from cxrbench.base.files import write_text
from cxrbench.base.progress import progress
from cxrbench.base.tables import read_table, write_table
from cxrbench.base.workspace import array_cache_dir, run_store_dir
from cxrbench.config import params as parameters
from cxrbench.config.studies import Cell
from cxrbench.evaluation.metrics import evaluate
from cxrbench.runs import ensure
from cxrbench.runs.store import RunStore
from cxrbench.views import average, decide, sampling, stored, stream

OUT = Path("data/view-filter")
FRONTAL = sampling.TARGET["frontal"]


def main() -> None:
    params = parameters.load()
    views = params.views
    images = read_table("data/download/manifest.csv", "manifest")
    assignment = sampling.assign(images, views.quotas, views.seed)
    store = RunStore(run_store_dir())
    cells = [Cell("view-network", "base", views.setting, seed) for seed in params.seeds]
    trained = ensure.ensure(cells, assignment, store, array_cache_dir(), params.workers)
    folders = dict(zip(params.seeds, map(store.path, trained)))
    scored = {seed: read_table(folder / "scores.csv", "scores") for seed, folder in folders.items()}
    kept = _kept(scored)
    means = _mean([scored[seed] for seed in kept])

    model = _hand_on([folders[seed] for seed in kept], views)
    scores = _scores(images, means, assignment, model, params.workers)
    frontal, review = decide.decide(images.assign(view_score=scores), views.abstain)
    write_table(OUT / "manifest.csv", frontal, "frontal")
    write_table(OUT / "review.csv", review, "review")
    write_table(OUT / "assignment.csv", assignment, "assignment")
    judged = {**{f"seed_{seed}": table for seed, table in scored.items()}, "mean": means}
    metrics = _metrics(images, frontal, review, judged, views.abstain)
    write_text(OUT / "metrics.json", json.dumps(metrics, indent=1) + "\n")
    print(
        f"{metrics['frontal']:,} of {metrics['images']:,} images are frontal ({metrics['frontal_by_network']:,} by the "
        f"network), {metrics['lateral']:,} lateral, {metrics['abstained']:,} undecided; see {OUT / 'review.csv'}"
    )


def _kept(scored: dict[int, pd.DataFrame]) -> list[int]:
    """The seeds whose networks are used: those that tell views apart, else those that at least give numbers."""
    status = {seed: _judged(table, "validation")[0] for seed, table in scored.items()}
    for wanted in ("ok", "degenerate"):
        if kept := [seed for seed, found in status.items() if found == wanted]:
            return kept
    raise CxrbenchError(
        f"the view network diverged with every one of {len(status)} seeds, so there is none to tell views with;"
        " lower views.setting.lr"
    )


def _mean(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Scores of the mean of several networks that scored the same images."""
    ordered = [table.sort_values("image_id", ignore_index=True) for table in tables]
    return ordered[0].assign(score=sum(table["score"] for table in ordered) / len(ordered))


def _judged(scores: pd.DataFrame, part: str) -> tuple[str, float]:
    """Whether a network's scores on a part are ok, degenerate or diverged, and its accuracy."""
    rows = scores[scores["part"] == part]
    status, metrics = evaluate(rows["target"].to_numpy(), rows["score"].to_numpy())
    return status, metrics["accuracy"]


def _hand_on(kept: list[Path], views: parameters.Views) -> stored.ViewModel:
    """Leaves the mean of the kept runs' networks, and how to use it, where ``cxrbench views`` looks for them."""
    setting, names = views.setting, " + ".join(folder.name for folder in kept)
    model = stored.ViewModel(
        OUT / "model.keras", setting.loss, setting.image_size, setting.resize, views.abstain, names, views.quotas
    )
    with tempfile.TemporaryDirectory() as folder:
        average.write([run / "model.keras" for run in kept], Path(folder) / "model.keras")
        return stored.save(Path(folder) / "model.keras", model)


def _scores(
    images: pd.DataFrame, scored: pd.DataFrame, assignment: pd.DataFrame, model: stored.ViewModel, workers: int
) -> pd.Series:
    """P(frontal) of each image: from the run itself for those it validated and tested, NaN for those it learnt from."""
    names = sampling.name_of(images["cohort"], images["image_id"])
    score = names.map(scored.set_index("image_id")["score"])
    unseen = images[~names.isin(assignment["image_id"])]
    if len(unseen):
        found = []
        files = [
            stream.File(row.path, model.resize_for(row.cohort), row.sha256)
            for row in unseen[["path", "cohort", "sha256"]].itertuples()
        ]
        with progress("images of open view or other cohorts", len(unseen)) as advance:
            for each in stream.score_files(files, model, workers):
                if each.refusal:
                    raise each.refusal
                found.append(each.score)
                advance(1, "")
        score[unseen.index] = found
    return score


def _metrics(
    images: pd.DataFrame,
    frontal: pd.DataFrame,
    review: pd.DataFrame,
    judged: dict[str, pd.DataFrame],
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


if __name__ == "__main__":
    run(main)
