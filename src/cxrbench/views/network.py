"""Asks a trained view network about images, in a process of its own: the caller never imports Keras."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np


def score(model: Path, loss: str, array: Path, threads: int) -> np.ndarray:
    """P(frontal), float64 [n], of the grey images in the .npy file ``array``, uint8 [n, h, w, 1]."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_score, model, loss, array, threads).result()


def _score(model: Path, loss: str, array: Path, threads: int) -> np.ndarray:
    from cxrbench.training import backend

    backend.start(threads)
    import keras

    from cxrbench.training.fit import predict

    return predict(keras.models.load_model(model, compile=False), loss, np.load(array, mmap_mode="r"))
