"""Seconds of one epoch of the small network with and without XLA, side by side on one thread.

Where the figure in training/fit.py comes from.
"""

import os
import time

os.environ.update(KERAS_BACKEND="tensorflow", CUDA_VISIBLE_DEVICES="-1")

import numpy as np

from cxrbench.training import backend

IMAGES, ROUNDS = 2_930, 3


def epoch_seconds(model, x: np.ndarray, y: np.ndarray, batch_size: int) -> float:
    started = time.monotonic()
    model.fit(x, y, batch_size=batch_size, epochs=1, verbose=0)
    return time.monotonic() - started


def main() -> None:
    backend.start(threads=1)
    from cxrbench.training import models  # Keras starts first

    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (IMAGES, 64, 64, 1), dtype="uint8")
    y = rng.integers(0, 2, (IMAGES, 1)).astype("float32")
    for batch_size in (4, 32):
        pair = []
        for jit in (False, True):
            model = models.on_grey(models.build("small_cnn", 64, 1, "sigmoid", None, None))
            model.compile("adam", "binary_crossentropy", jit_compile=jit)
            epoch_seconds(model, x, y, batch_size)
            pair.append(model)
        times = [[epoch_seconds(model, x, y, batch_size) for model in pair] for _ in range(ROUNDS)]
        plain, xla = np.median(times, axis=0)
        print(f"batch size {batch_size:2}: {plain:.2f} s plain, {xla:.2f} s with XLA, ratio {xla / plain:.2f}")


if __name__ == "__main__":
    main()
