"""view-filter: keep what is frontal. Metadata first, the trained network for what they leave open."""

import json
import math
from pathlib import Path
from typing import Any

import pandas as pd

from cxrbench import params as parameters
from cxrbench.errors import CxrbenchError
from cxrbench.evaluation.metrics import evaluate
from cxrbench.manifest import read_table, write_table, write_text
from cxrbench.progress import progress
from cxrbench.stages.entry import run
from cxrbench.training import runs
from cxrbench.training.grid import Cell
from cxrbench.training.store import RunStore
from cxrbench.views import decide, sampling, stored, stream
from cxrbench.workspace import array_cache_dir, run_store_dir

OUT = Path("data/view-filter")


def main() -> None:
    params = parameters.load()
    views = params.views
    images = read_table("data/download/manifest.csv", "manifest")
    assignment = sampling.assign(images, views.quotas, views.seed)
    store = RunStore(run_store_dir())
    cells = [Cell("view-network", "base", views.setting, seed) for seed in params.seeds]
    trained = runs.ensure(cells, assignment, store, array_cache_dir(), params.workers)
    quality = {seed: _quality(store.path(name), views.abstain) for seed, name in zip(params.seeds, trained)}
    best = store.path(trained[_best([one["validation_loss"] for one in quality.values()])])

    model = _hand_on(best, views)
    scores = _scores(images, read_table(best / "scores.csv", "scores"), assignment, model, params.workers)
    frontal, review = decide.decide(images.assign(view_score=scores), views.abstain)
    write_table(OUT / "manifest.csv", frontal, "frontal")
    write_table(OUT / "review.csv", review, "review")
    write_table(OUT / "assignment.csv", assignment, "assignment")
    metrics = _metrics(images, frontal, review, quality)
    write_text(OUT / "metrics.json", json.dumps(metrics, indent=1) + "\n")
    print(
        f"{metrics['frontal']:,} of {metrics['images']:,} images are frontal ({metrics['frontal_by_network']:,} by the "
        f"network), {metrics['lateral']:,} lateral, {metrics['abstained']:,} undecided; see {OUT / 'review.csv'}"
    )


def _quality(folder: Path, abstain: tuple[float, float]) -> dict[str, Any]:
    """The validation loss of one run's kept epoch, its accuracies and its errors on test."""
    scores = read_table(folder / "scores.csv", "scores")
    history = read_table(folder / "history.csv", "history")
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    kept = history["epoch"] == record["checkpoint_epoch"]
    found: dict[str, Any] = {"validation_loss": float(history["val_loss"][kept].fillna(math.inf).min())}
    for part, rows in scores.groupby("part"):
        target, score = rows["target"].to_numpy(), rows["score"].to_numpy()
        status, metrics = evaluate(target, score)
        found[f"{part}_accuracy"] = metrics["accuracy"]
        if status == "diverged":
            found["validation_loss"] = math.inf
        if part == "test":
            found["errors"] = decide.errors(target == sampling.TARGET["frontal"], score, abstain)
    return found


def _best(losses: list[float]) -> int:
    """The place of the least validation loss."""
    if not math.isfinite(min(losses)):
        raise CxrbenchError(
            f"the view network diverged with every one of {len(losses)} seeds, so there is none to tell views with;"
            " lower views.setting.lr"
        )
    return losses.index(min(losses))


def _hand_on(best: Path, views: parameters.Views) -> stored.ViewModel:
    """Leaves the best network and how to use it where ``cxrbench views`` looks for them."""
    setting = views.setting
    model = stored.ViewModel(
        OUT / "model.keras", setting.loss, setting.image_size, setting.resize, views.abstain, best.name, views.quotas
    )
    return stored.save(best / "model.keras", model)


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
    images: pd.DataFrame, frontal: pd.DataFrame, review: pd.DataFrame, quality: dict[int, dict[str, Any]]
) -> dict[str, Any]:
    abstained = int((review["reason"] != decide.DISAGREES).sum())
    accuracy = pd.DataFrame(quality.values())[["validation_accuracy", "test_accuracy"]].mean()
    errors = {f"seed_{seed}": one["errors"] for seed, one in quality.items()}
    some = next(iter(errors.values()))
    return {
        "images": len(images),
        "frontal": len(frontal),
        "frontal_by_network": int((frontal["view_by"] == "network").sum()),
        "lateral": len(images) - len(frontal) - abstained,
        "abstained": abstained,
        "disagreements": len(review) - abstained,
        **{name: round(float(value), 6) for name, value in accuracy.items()},
        "test_images": some["frontal"] + some["lateral"],
        "errors": errors,
    }


if __name__ == "__main__":
    run(main)
