"""A run to be trained, as the parent process hands it to a worker: plain values alone."""

import dataclasses
from pathlib import Path
from typing import Any

import pandas as pd


@dataclasses.dataclass(frozen=True)
class Job:
    """A run to be trained: its setting, its seed and its images."""

    run: str  # the fingerprint
    setting: dict[str, Any]  # every key of a setting -> its value, as run.json keeps it
    seed: int
    rows: pd.DataFrame  # source, image_id, patient_id, part, target, index: the image's place in the array
    array: Path  # .npy, uint8 [n, h, w, 1]
    data_sha256: str
    weights: str | None = None  # what training starts from: None (random), 'imagenet', or an absolute path
    features: Path | None = None  # .npz that a frozen backbone's features are kept in; with None they are not kept


def graph_of(job: Job) -> tuple[Any, ...]:
    """What decides the compiled graph that trains ``job``: runs of one graph follow each other in one worker."""
    keys = ("model", "image_size", "padding", "loss", "precision", "optimizer", "augment")
    return tuple(job.setting.get(key) for key in keys)
