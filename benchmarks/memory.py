"""Memory of a run: MiB of its process before, after a step and after scoring, and bytes a pixel of a batch.

By these figures ``runs/side_by_side.py`` says how many runs a machine's memory holds. Each network is measured in a
process of its own.

    python benchmarks/memory.py
"""

import os
import resource
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

RUNS = [
    ("small_cnn", 64, 32),
    ("small_cnn", 224, 32),
    ("covid_cnn", 224, 32),
    ("inception_v3", 96, 16),
    ("xception", 96, 16),
]
SCORED = 256  # images at once


def peak_mib() -> float:
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def measure(model: str, px: int, batch_size: int) -> tuple[float, float, float]:
    """Peak MiB of this process before the first step, after it, and after scoring."""
    from cxrbench.training import backend

    backend.start(threads=1)
    import numpy as np

    from cxrbench.training.trainer import traced

    padding = 1 if model == "covid_cnn" else None
    trainer = traced(model, px, padding, "binary_crossentropy", "float32", "adam", "none")
    images, labels = np.zeros((SCORED, px, px, 1), "uint8"), np.zeros((batch_size, 1), "float32")
    before = peak_mib()
    trainer.epoch(images, np.arange(batch_size), labels, batch_size, (0, 1))
    step = peak_mib()
    trainer.predict(images, np.arange(SCORED))
    return before, step, peak_mib()


def main() -> None:
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    print("| network | px | batch size | before, MiB | step | scoring | bytes a pixel trained | scored |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    for model, px, batch_size in RUNS:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            before, step, scored = process.submit(measure, model, px, batch_size).result()
        each = [(step - before) * 2**20 / (batch_size * px * px), (scored - before) * 2**20 / (SCORED * px * px)]
        cells = [f"{value:,.0f}" for value in (before, step, scored, *each)]
        print(f"| {model} | {px} | {batch_size} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
