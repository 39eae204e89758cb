"""Phantoms that were made stay in the workspace, outside of DVC's outputs, and are made again where they are not whole.

DVC walks every folder of an output whenever it is asked whether something has changed, and keeps a second copy of it.
The manifest's checksums pin the images as they pin those of a real cohort.
"""

import functools
import hashlib
import json
import shutil
from pathlib import Path

from filelock import FileLock

from cxrbench.base.code import Code
from cxrbench.base.progress import progress
from cxrbench.cohorts.phantom.plan import image_count
from cxrbench.cohorts.phantom.tables import is_whole
from cxrbench.cohorts.phantom.tree import write_tree


def phantom_tree(store: Path, kind: str, scale: float, size: int, seed: int, workers: int) -> Path:
    """The folder of a cohort (see ``write_tree``) below ``store``, as the same code made it once for all."""
    key = hashlib.sha256(json.dumps([kind, scale, size, seed, _version()]).encode()).hexdigest()[:16]
    folder, unfinished = store / key, store / f"{key}.unfinished"
    store.mkdir(parents=True, exist_ok=True)
    with FileLock(store / f"{key}.lock"):  # two experiments side by side would write one file
        if not is_whole(folder):
            shutil.rmtree(unfinished, ignore_errors=True)
            with progress(f"make {kind} phantoms", image_count(kind, scale, seed)) as advance:
                write_tree(unfinished, kind, scale, size, seed, workers, advance)
            shutil.rmtree(folder, ignore_errors=True)
            unfinished.rename(folder)
    return folder


@functools.cache
def _version() -> str:
    """A hash of what the code that decides the pixels does."""
    package = __name__.rpartition(".")[0]
    return Code([package]).sha256(f"{package}.tree")
