"""How much faster a head is trained on features that are computed once than behind its frozen backbone each epoch.

Both ways train the same head with the same network of random weights on the same noise, one after the other in one
process. To make the network is in no time; to trace it is, as in a run. Times are the processor's, which another
program beside this one changes little.

    python benchmarks/frozen.py                # Xception at 96 px, 8 epochs of 256 images
"""

import argparse
import dataclasses
import os
import tempfile
import time
from pathlib import Path

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import numpy as np
import pandas as pd

from cxrbench.runs.job import Job
from cxrbench.training import backend


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="xception")
    parser.add_argument("--size", type=int, default=96, help="pixels")
    parser.add_argument("--images", type=int, default=256, help="of training, and as many of validation")
    parser.add_argument("--epochs", type=int, default=8)
    options = parser.parse_args()
    backend.start(1)
    with tempfile.TemporaryDirectory() as folder:
        job = frozen_job(Path(folder), options.model, options.size, options.images, options.epochs)
        job = dataclasses.replace(job, features=Path(folder) / "features.npz")
        first, again = seconds(job), seconds(job)
        each = seconds(job, through_the_backbone=True)
    told = f"{options.model} at {options.size} px, {options.epochs} epochs of {options.images} images, one thread"
    print(f"{told}: behind the backbone {each:.1f} s")
    print(f"on features, computed first:    {first:.1f} s, {each / first:.1f} times as fast")
    print(f"on features of an earlier head: {again:.2f} s, {each / again:.0f} times as fast")


def frozen_job(folder: Path, model: str, size: int, images: int, epochs: int) -> Job:
    """A run of noise whose backbone is frozen; half the images train."""
    noise = np.random.default_rng(0).integers(0, 256, (2 * images, size, size, 1), dtype="uint8")
    np.save(folder / "noise.npy", noise)
    rows = pd.DataFrame({"source": "noise", "part": ["train", "validation"] * images, "index": range(2 * images)})
    rows = rows.assign(target=rows["index"] // 2 % 2)
    setting = {
        "model": model, "image_size": size, "padding": None, "loss": "binary_crossentropy", "precision": "float32",
        "optimizer": "adam", "hide": "nothing", "augment": "none", "lr": 0.001, "balance": False, "batch_size": 32,
        "epochs": epochs, "checkpoint": "last", "backbone": "frozen",
    }  # fmt: skip
    return Job("frozen", setting, 0, rows, folder / "noise.npy", "noise")


def seconds(job: Job, through_the_backbone: bool = False) -> float:
    """Processor time of all epochs of ``job``, on features or, as with augmented images, through the backbone."""
    import keras

    from cxrbench.training import heads, losses
    from cxrbench.training.hide import Hidden

    if through_the_backbone:
        heads.augment.layer = lambda name, seed: keras.layers.Lambda(lambda grey: keras.ops.cast(grey, "float32"))
    images = Hidden(np.load(job.array, mmap_mode="r"), "nothing")
    trainer = heads.untrained(job)
    places = {part: rows.to_numpy() for part, rows in job.rows.groupby("part")["index"]}
    labels = losses.labels_for(job.setting["loss"], job.rows["target"].to_numpy())[places["train"]]
    started = time.process_time()
    for epoch in range(1, job.setting["epochs"] + 1):
        trainer.epoch(images, places["train"], labels, job.setting["batch_size"], (0, epoch))
        trainer.predict(images, places["validation"])
    return time.process_time() - started


if __name__ == "__main__":
    main()
