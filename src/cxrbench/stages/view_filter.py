"""view-filter: keep what is frontal. Metadata first, the trained network for what they leave open."""

import json
from pathlib import Path

from cxrbench.base import entry
from cxrbench.base.files import write_text
from cxrbench.base.machine import processes
from cxrbench.base.tables import read_table, write_table
from cxrbench.base.workspace import array_cache_dir, run_store_dir
from cxrbench.config import params as parameters
from cxrbench.runs.store import RunStore
from cxrbench.training import backend
from cxrbench.views import sampling
from cxrbench.views.keep_frontal import hand_on, keep_frontal, train_networks, usable_seeds

OUT = Path("data/view-filter")


def main() -> None:
    params = parameters.load()
    backend.choose(params.backend)
    views, setting = params.views, params.views.setting
    images = read_table("data/download/manifest.csv", "manifest")
    assignment = sampling.assign(images, views.quotas, views.seed)
    store = RunStore(run_store_dir())
    runs = train_networks(setting, params.seeds, assignment, store, array_cache_dir(), params.workers)
    scores = {seed: read_table(run / "scores.csv", "scores") for seed, run in runs.items()}
    seeds = usable_seeds(scores)
    model = hand_on([runs[seed] for seed in seeds], OUT, setting, views.abstain, views.counts(assignment))
    kept = keep_frontal(images, assignment, scores, seeds, model, processes(params.workers))
    write_table(OUT / "manifest.csv", kept.frontal, "frontal")
    write_table(OUT / "review.csv", kept.review, "review")
    write_table(OUT / "assignment.csv", assignment, "assignment")
    write_text(OUT / "metrics.json", json.dumps(kept.metrics, indent=1) + "\n")
    print(f"{kept}; see {OUT / 'review.csv'}")


if __name__ == "__main__":
    entry.run(main)
