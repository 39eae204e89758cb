"""view-filter: keep what is frontal. Metadata first, the trained network for what they leave open."""

import json
import math
import shutil
from pathlib import Path

import pandas as pd

from cxrbench import params as parameters
from cxrbench.manifest import read_table, write_table, write_text
from cxrbench.progress import progress
from cxrbench.stages.entry import run
from cxrbench.training import runs
from cxrbench.training.arrays import grey_squares
from cxrbench.training.grid import Cell
from cxrbench.training.store import RunStore
from cxrbench.views import decide, network, sampling
from cxrbench.workspace import array_cache_dir, run_store_dir

OUT = Path("data/view-filter")


def main() -> None:
    params = parameters.load()
    views, setting = params.views, params.views.setting
    images = read_table("data/download/manifest.csv", "manifest")
    assignment = sampling.assign(images[images["cohort"] == views.cohort], views.quotas, views.seed, views.cohort)
    store = RunStore(run_store_dir())
    cells = [Cell("view-network", "base", setting, seed) for seed in params.seeds]
    trained = runs.ensure(cells, assignment, store, array_cache_dir(), params.workers)
    quality = pd.DataFrame([_quality(store.path(name)) for name in trained], index=pd.Index(trained))
    best = store.path(str(quality["validation_loss"].idxmin()))

    scored = read_table(best / "scores.csv", "scores").set_index("image_id")["score"]
    known = (images["cohort"] == views.cohort) & (images["view"] != "")
    view_score = images["image_id"].map(scored).where(known)
    unseen = images[~known]
    if len(unseen):
        with progress("images of open view or other cohorts", len(unseen)) as advance:
            array = grey_squares(
                unseen["path"].tolist(), unseen["sha256"].tolist(), setting.image_size, setting.resize,
                array_cache_dir(), params.workers, advance,
            )  # fmt: skip
            view_score[~known] = network.score(best / "model.keras", setting.loss, array, params.workers)
    frontal, review = decide.decide(images.assign(view_score=view_score), views.abstain)

    write_table(OUT / "manifest.csv", frontal, "frontal")
    write_table(OUT / "review.csv", review, "review")
    write_table(OUT / "assignment.csv", assignment, "assignment")
    shutil.copyfile(best / "model.keras", OUT / "model.keras")
    abstained = int((review["reason"] == "the network abstains").sum())
    metrics = {
        "images": len(images),
        "frontal": len(frontal),
        "frontal_by_network": int((frontal["view_by"] == "network").sum()),
        "lateral": len(images) - len(frontal) - abstained,
        "abstained": abstained,
        "disagreements": len(review) - abstained,
        "validation_accuracy": _mean(quality["validation_accuracy"]),
        "test_accuracy": _mean(quality["test_accuracy"]),
        "test_images": int((assignment["paper"] == "test").sum()),
    }
    write_text(OUT / "metrics.json", json.dumps(metrics, indent=1) + "\n")
    print(
        f"{metrics['frontal']:,} of {metrics['images']:,} images are frontal ({metrics['frontal_by_network']:,} by the "
        f"network), {metrics['lateral']:,} lateral, {metrics['abstained']:,} undecided; see {OUT / 'review.csv'}"
    )


def _quality(folder: Path) -> dict[str, float]:
    """Accuracy on validation and test and the validation loss of the kept epoch of one run."""
    scores = read_table(folder / "scores.csv", "scores")
    right = (scores["score"] >= 0.5) == (scores["target"] == 1)
    history = read_table(folder / "history.csv", "history")
    return {
        "validation_accuracy": float(right[scores["part"] == "validation"].mean()),
        "test_accuracy": float(right[scores["part"] == "test"].mean()),
        "validation_loss": float(history["val_loss"].fillna(math.inf).min()),
    }


def _mean(values: pd.Series) -> float:
    return round(float(values.mean()), 6)


if __name__ == "__main__":
    run(main)
