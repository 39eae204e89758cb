"""What MLflow costs a grid: seconds to log 300 finished runs of 200 epochs, and to find them logged already.

The runs are made of numbers drawn at random, as large as the published grid's: 200 epochs, scores of 2,926 images, a
stored network. All that a stage's tracking does is counted, from the start of MLflow to the mean networks.

    python benchmarks/tracking.py
    python benchmarks/tracking.py --studies 1 --profile     # of 30 runs, and where the time goes
"""

import argparse
import cProfile
import json
import os
import pstats
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd

from cxrbench.base.tables import TABLES, write_table
from cxrbench.config.setting import Setting
from cxrbench.runs.plan import select
from cxrbench.runs.store import RunStore
from cxrbench.tracking.grid_log import GridLog
from cxrbench.tracking.provenance import provenance_tags

SETTINGS, SEEDS, EPOCHS = 10, 3, 200  # of a study; what it has of each; of a run
IMAGES = {"train": 2930, "validation": 2426, "test": 500}


def assignment() -> pd.DataFrame:
    part = np.repeat(list(IMAGES), list(IMAGES.values()))
    ids = [f"image-{k:05}" for k in range(len(part))]
    target = np.random.default_rng(0).integers(0, 2, len(part))
    table = pd.DataFrame(dict.fromkeys(TABLES["assignment"], ""), index=range(len(part)))
    own = {"cohort": "pneumonia", "source": "pneumonia", "image_id": ids, "sha256": ids, "patient_id": ids}
    return table.assign(**own, target=target, label=np.where(target, "pneumonia", "normal"), paper=part)


def write_network(path: Path) -> None:
    from cxrbench.training import backend, models

    backend.start(1)
    models.on_grey(models.build("quick_cnn", 32, 1, "sigmoid", None, None)).save(path)


def write_runs(store: RunStore, images: pd.DataFrame, network: Path, studies: int) -> pd.DataFrame:
    """The runs of ``studies`` in ``store``; their table 'grid'."""
    rng, cells = np.random.default_rng(0), []
    scored = select(images, "pneumonia", "paper").query("part != 'train'")
    for study in range(studies):
        for number in range(SETTINGS):
            setting = Setting(lr=10 ** -(1 + number / 3), image_size=32, model="quick_cnn", epochs=EPOCHS)
            for seed in range(SEEDS):
                run = f"{study:08x}{number:04x}{seed:04x}"
                folder = store.begin(run)
                score = np.clip(scored["target"] * 0.4 + rng.uniform(0, 0.6, len(scored)), 0, 1)
                write_table(folder / "scores.csv", scored.assign(score=score)[list(TABLES["scores"])], "scores")
                curves = dict(zip(list(TABLES["history"])[1:], rng.uniform(0, 1, (5, EPOCHS))))
                history = pd.DataFrame({"epoch": range(1, EPOCHS + 1), **curves})
                write_table(folder / "history.csv", history, "history")
                os.link(network, folder / "model.keras")
                record = {
                    "run": run, "setting": setting.model_dump(), "seed": seed, "status": "ok", "parameters": 1,
                    "epochs_done": EPOCHS, "checkpoint_epoch": EPOCHS, "first_epoch_seconds": 2.0,
                    "epoch_seconds": 2.0, "train_seconds": 400.0, "data": {"sha256": "d", **IMAGES},
                    "environment": {"python": "3", "keras": "3", "backend": "tensorflow", "tensorflow": "2"},
                }  # fmt: skip
                (folder / "run.json").write_text(json.dumps(record))
                store.commit(run, folder)
                cells.append([f"study-{study}", f"lr={setting.lr:.2g}", seed, run])
    return pd.DataFrame(cells, columns=list(TABLES["grid"]))


def cpu_seconds() -> float:
    """Processor time of this process and of those that it started and that ended; a busy machine does not change it."""
    return sum(os.times()[:4])


def logged(grid: pd.DataFrame, store: RunStore, images: pd.DataFrame) -> str:
    """What a grid's tracking took, setting by setting as runs are finished."""
    started, cpu = time.monotonic(), cpu_seconds()
    log, done, tags = GridLog(grid, store, images, set()), set(), provenance_tags(Path.cwd())
    for run in grid["run"]:
        log.keep_provenance(run, tags)
        done.add(run)
        log.log(done)
    in_settings = time.monotonic() - started
    log.register(range(SEEDS))
    if missing := log.missing(done):
        sys.exit(f"{log.failure}; {missing}")
    seconds = time.monotonic() - started
    return (
        f"{seconds:6.1f} s, {cpu_seconds() - cpu:.1f} s of a processor: {log.new} runs logged, {log.known} there;"
        f" {in_settings:.1f} s for runs, {seconds - in_settings:.1f} s for the best models"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=10, help="of 30 runs each (default: %(default)s)")
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        os.chdir(name)
        Path("dvc.yaml").touch()
        network = Path(name) / "network.keras"
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            process.submit(write_network, network).result()
        images, store = assignment(), RunStore(Path(name) / "runs")
        grid = write_runs(store, images, network, options.studies)
        profile = cProfile.Profile()
        if options.profile:
            profile.enable()
        first = logged(grid, store, images)
        profile.disable()
        print(f"first time   {first}", flush=True)
        print(f"second time  {logged(grid, store, images)}", flush=True)
        if options.profile:
            pstats.Stats(profile).sort_stats("cumulative").print_stats(70)
        os.chdir("/")


if __name__ == "__main__":
    main()
