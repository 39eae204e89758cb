"""A run to be trained, as the parent process hands it to a worker."""

import dataclasses
from pathlib import Path

import pandas as pd

from cxrbench.config.setting import Setting


@dataclasses.dataclass(frozen=True)
class Job:
    """A run to be trained: the setting, the seed, and its images."""

    run: str  # the fingerprint
    setting: Setting
    seed: int
    rows: pd.DataFrame  # source, image_id, patient_id, part, target, index: the image's place in the array
    array: Path  # .npy, uint8 [n, h, w, 1]
    data_sha256: str
