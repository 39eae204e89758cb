"""view-filter: keep what is frontal. Metadata first, the trained network for what they leave open."""

import json
from pathlib import Path

from cxrbench.base.entry import run
from cxrbench.base.files import write_text
from cxrbench.base.tables import read_table, write_table
from cxrbench.base.workspace import array_cache_dir, run_store_dir
from cxrbench.config import params as parameters
from cxrbench.config.studies import PlannedRun
from cxrbench.runs import plan
from cxrbench.runs.store import RunStore
from cxrbench.views import sampling
from cxrbench.views.keep_frontal import hand_on, keep_frontal, usable_seeds
from cxrbench.views.stored import ViewModel

OUT = Path("data/view-filter")


def main() -> None:
    params = parameters.load()
    views, setting = params.views, params.views.setting
    images = read_table("data/download/manifest.csv", "manifest")
    assignment = sampling.assign(images, views.quotas, views.seed)
    store = RunStore(run_store_dir())
    runs = [PlannedRun("view-network", "base", setting, seed) for seed in params.seeds]
    folders = [
        store.path(name) for name in plan.train_missing(runs, assignment, store, array_cache_dir(), params.workers)
    ]
    networks = dict(zip(params.seeds, folders))
    scores = {seed: read_table(folder / "scores.csv", "scores") for seed, folder in networks.items()}
    seeds = usable_seeds(scores)
    names = " + ".join(networks[seed].name for seed in seeds)
    path, quotas = OUT / "model.keras", views.counts(assignment)
    model = ViewModel(path, setting.loss, setting.image_size, setting.resize, views.abstain, names, quotas)
    model = hand_on([networks[seed] / "model.keras" for seed in seeds], model)
    kept = keep_frontal(images, assignment, scores, seeds, model, params.workers)
    write_table(OUT / "manifest.csv", kept.frontal, "frontal")
    write_table(OUT / "review.csv", kept.review, "review")
    write_table(OUT / "assignment.csv", assignment, "assignment")
    write_text(OUT / "metrics.json", json.dumps(kept.metrics, indent=1) + "\n")
    print("{frontal:,} of {images:,} images are frontal ({frontal_by_network:,} by the network), {lateral:,} lateral,"
          " {abstained:,} undecided; see data/view-filter/review.csv".format(**kept.metrics))  # fmt: skip


if __name__ == "__main__":
    run(main)
