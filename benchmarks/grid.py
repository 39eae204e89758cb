"""The learning-rate study by cxrbench and by the script that a user would write, in one call; and what a grid costs.

Twelve runs, three epochs, 2,930/2,426/500 computed images in JPEG files, the same network and settings on both sides.
The script: one process a run, images by ``image_dataset_from_directory``, ``fit``, scores of the test part. cxrbench:
``train_missing`` from the image files to stored runs, an empty store and an empty cache. Both use both cores: the
script one after the other with all threads, as it comes, and two side by side.

    python benchmarks/grid.py              # the study; the last line is the ratio
    python benchmarks/grid.py --many       # seconds and memory of 3, 12, 30 and 60 runs
"""

import argparse
import itertools
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
from PIL import Image

QUOTAS = {"train": (790, 2140), "validation": (593, 1833), "test": (200, 300)}
RATES, SEEDS, EPOCHS, PX = (0.1, 0.01, 0.001, 0.0001), (0, 1, 2), 3, 64
SCRIPT = """
import sys
import keras
folder, out, lr = sys.argv[1], sys.argv[2], float(sys.argv[3])
seed, epochs, px = map(int, sys.argv[4:])
keras.utils.set_random_seed(seed)
from cxrbench.training import models
def part(name, shuffle):
    return keras.utils.image_dataset_from_directory(
        f"{folder}/{name}", label_mode="binary", color_mode="grayscale", image_size=(px, px), batch_size=32,
        shuffle=shuffle, seed=seed, verbose=False)
model = models.on_grey(models.build("small_cnn", px, 1, "sigmoid", None, None))
model.compile(keras.optimizers.Adam(lr), "binary_crossentropy", metrics=["accuracy"])
model.fit(part("train", True), validation_data=part("validation", False), epochs=epochs, verbose=0)
model.predict(part("test", False), verbose=0).tofile(out)
model.save(out + ".keras")
"""


def write_images(folder: Path) -> pd.DataFrame:
    """Noisy squares as JPEG files in folders of part and class; the assignment of their images."""
    from cxrbench.base.files import sha256_of

    rng, rows = np.random.default_rng(0), []
    for part, counts in QUOTAS.items():
        for target, count in enumerate(counts):
            (folder / part / str(target)).mkdir(parents=True)
            for number in range(count):
                path = folder / part / str(target) / f"{number:04}.jpg"
                grain = rng.normal(110 + 8 * target, 40, (224, 224))
                Image.fromarray(np.clip(grain, 0, 255).astype("uint8")).save(path, quality=90)
                name = f"{part}-{target}-{number:04}"
                rows.append((name, sha256_of(path), name, part, target, str(path)))
    table = pd.DataFrame(rows, columns=["image_id", "sha256", "patient_id", "paper", "target", "path"])
    return table.assign(cohort="noise", source="noise")


def by_script(images: Path, work: Path, beside: int) -> float:
    """Seconds of the twelve runs, ``beside`` at a time."""

    def one(run: tuple[int, tuple[float, int]]) -> None:
        number, (lr, seed) = run
        arguments = [str(images), str(work / f"script-{number}"), str(lr), str(seed), str(EPOCHS), str(PX)]
        subprocess.run([sys.executable, "-c", SCRIPT, *arguments], check=True, stderr=subprocess.DEVNULL)

    started = time.monotonic()
    with ThreadPoolExecutor(beside) as pool:
        list(pool.map(one, enumerate(itertools.product(RATES, SEEDS))))
    return time.monotonic() - started


def by_cxrbench(assignment: pd.DataFrame, work: Path, seeds: tuple[int, ...]) -> tuple[float, float]:
    """Seconds of the study with these seeds from an empty store, and the peak of memory in MiB (proportional set)."""
    from cxrbench.config.setting import Setting, replace
    from cxrbench.config.studies import PlannedRun
    from cxrbench.runs.plan import train_missing
    from cxrbench.runs.store import RunStore

    base = Setting(cohort="noise", model="small_cnn", image_size=PX, epochs=EPOCHS)
    planned = [
        PlannedRun("learning-rate", f"lr={lr}", replace(base, {"lr": lr}), seed) for lr in RATES for seed in seeds
    ]
    started, peak = time.monotonic(), 0.0
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(train_missing, planned, assignment, RunStore(work / "runs"), work / "arrays", 2)
        while not done.done():
            peak = max(peak, proportional_mib())
            time.sleep(0.5)
        done.result()
    return time.monotonic() - started, peak


def proportional_mib() -> float:
    """Memory of this process and its children, with what they share counted once."""
    own, total = psutil.Process(), 0
    for process in [own, *own.children(recursive=True)]:
        try:
            total += process.memory_full_info().pss
        except psutil.Error:
            continue
    return total / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--many", action="store_true", help="seconds and memory of 3 to 60 runs instead")
    options = parser.parse_args()
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        assignment = write_images(work / "images")
        if options.many:
            for count in (1, 3, 8, 15):
                seconds, peak = by_cxrbench(assignment, work / str(count), tuple(range(count)))
                print(f"{count * len(RATES)} runs: {seconds:.1f} s, peak {peak:.0f} MiB", flush=True)
            return
        ours, peak = by_cxrbench(assignment, work / "ours", SEEDS)
        print(f"cxrbench: {ours:.1f} s, peak {peak:.0f} MiB", flush=True)
        single = by_script(work / "images", work, 1)
        print(f"script, one run at a time: {single:.1f} s", flush=True)
        double = by_script(work / "images", work, 2)
        print(f"script, two runs side by side: {double:.1f} s; ratio to it {double / ours:.2f}", flush=True)
        print(f"ratio {single / ours:.2f}")


if __name__ == "__main__":
    main()
