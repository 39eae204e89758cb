"""Images a second of an epoch of cxrbench beside the bare compiled training step, and beside Keras's fit.

The bare step takes the same batch again and again, from memory: no order is drawn, no image copied, nothing logged.
That is the limit. Each pair is timed in turn, one thread, and the median of the rounds counts.

    python benchmarks/step.py                # the small networks at batches 4 to 32, the large ones at 32
"""

import argparse
import functools
import os
import statistics
import time
from collections.abc import Callable

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import numpy as np

from cxrbench.training import backend

SMALL = [("quick_cnn", 32, size, 2_930) for size in (4, 8, 16, 32)] + [
    ("small_cnn", 64, size, 1_024) for size in (4, 8, 16, 32)
]
LARGE = [("xception", 96, 32, 64), ("inception_v3", 96, 32, 64)]
ROUNDS = 5


def measure(model: str, px: int, batch_size: int, count: int) -> dict[str, float]:
    """Images a second by way of training, of ``count`` images of noise."""
    import keras
    import tensorflow as tf

    from cxrbench.training.trainer import traced

    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (count, px, px, 1), dtype="uint8")
    labels = rng.integers(0, 2, (count, 1)).astype("float32")
    trainer = traced(model, px, None, "binary_crossentropy", "float32", "adam", "none")
    step = tf.function(trainer.steps._one_step, autograph=False)
    batch = tf.constant(images[:batch_size]), tf.constant(labels[:batch_size])
    fitted = keras.models.clone_model(trainer.parts.network)
    fitted.compile("adam", "binary_crossentropy", metrics=["accuracy"], jit_compile=False)

    def bare() -> None:
        for _ in range(count // batch_size):
            loss, _ = step(*batch)
        float(loss)

    ways: dict[str, Callable[[], object]] = {
        "bare step": bare,
        "cxrbench": functools.partial(trainer.epoch, images, np.arange(count), labels, batch_size, (0, 1)),
        "fit": functools.partial(fitted.fit, images, labels, batch_size=batch_size, verbose=0),
    }
    for way in ways.values():
        way()  # traces
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            started = time.monotonic()
            way()
            times[name].append(time.monotonic() - started)
    return {name: count / statistics.median(seconds) for name, seconds in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--small", action="store_true", help="the small networks alone")
    options = parser.parse_args()
    backend.start(threads=1)
    print("| network | px | batch size | bare step, images/s | cxrbench | ratio | Keras's fit | ratio |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    for model, px, batch_size, count in SMALL + ([] if options.small else LARGE):
        speed = measure(model, px, batch_size, count)
        limit = speed["bare step"]
        cells = [f"{speed[name]:,.0f} | {speed[name] / limit:.2f}" for name in ("cxrbench", "fit")]
        print(f"| {model} | {px} | {batch_size} | {limit:,.0f} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
