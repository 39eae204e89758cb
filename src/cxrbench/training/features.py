"""What a frozen backbone makes of every image of an array, kept in a file that runs share.

The file is a NumPy archive without pickles, whose part carries a check sum; a damaged one is made anew.
"""

import fcntl
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from cxrbench.base.files import replaced_when_whole


def kept_features(path: Path | None, count: int, make: Callable[[], np.ndarray]) -> np.ndarray:
    """The features of ``count`` images, float32 [count, d]: those of the file ``path``, or what ``make`` gives.

    The file's name says what decides them (``runs.fingerprint.features_name``). Of several processes one makes it, and
    the others wait. With None nothing is kept.
    """
    if path is None:
        return make().astype("float32")
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        features = _read(path, count)
        if features is None:
            features = make().astype("float32")
            _write(path, features)
    return features


def _read(path: Path, count: int) -> np.ndarray | None:
    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as parts:
            features: np.ndarray = parts["features"]
        if len(features) != count:
            raise ValueError(f"it is of {len(features)} images, not of {count}")
    except Exception as error:  # a damaged archive raises errors of a dozen kinds
        print(f"features {path} can't be used ({error}); they are computed anew", file=sys.stderr)
        return None
    return features


def _write(path: Path, features: np.ndarray) -> None:
    try:
        with replaced_when_whole(path) as temporary, temporary.open("wb") as file:
            np.savez(file, allow_pickle=False, features=features)
    except OSError as error:
        print(f"features {path} could not be written ({error.strerror}); training goes on", file=sys.stderr)
