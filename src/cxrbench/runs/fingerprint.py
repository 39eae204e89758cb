"""The fingerprint of a run: the hash of all that decides its result.

Setting, seed, data, the content of a weights file, the code between an image file and a stored score, and the
versions of the libraries that compute. Keras's own settings are among the code: training/backend.py fixes them.
"""

import dataclasses
import functools
import hashlib
import json
from pathlib import Path
from typing import Any

import pandas as pd

import cxrbench
from cxrbench.base.errors import CxrbenchError
from cxrbench.base.files import sha256_of
from cxrbench.base.workspace import resolve
from cxrbench.config.loss_forms import LOSS_FORMS
from cxrbench.config.setting import FILE_KEYS, Setting
from cxrbench.images import decode
from cxrbench.training import backend

CODE = ("images", "training")  # packages, each whole; what a run sees of its data is hashed as values


def fingerprint(setting: Setting, seed: int, data_sha256: str) -> str:
    """16 hex digits that name the run of ``setting`` with ``seed`` on the data of that hash.

    Raises CxrbenchError where a weights file or the Keras backend is missing.
    """
    start = weights_of(setting)
    decides = {
        "setting": setting.model_dump(exclude=set(FILE_KEYS)),
        "loss": dataclasses.asdict(LOSS_FORMS[setting.loss]),
        "weights": sha256_of(start) if isinstance(start, Path) else start,
        "seed": seed,
        "data": data_sha256,
        "code": code_sha256(),
        "decoding": decode.version(),
        "backend": backend.backend_name(),
        "versions": backend.versions(),
    }
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:16]


def values_of(setting: Setting) -> dict[str, Any]:
    """Every key of a setting and its value."""
    return setting.model_dump()


def weights_of(setting: Setting) -> Path | str | None:
    """What training starts from: None (random), 'imagenet', or an absolute path.

    A relative path is taken from the user's workspace, also inside DVC's copy of it. Raises CxrbenchError where
    there is no such file.
    """
    if setting.weights is None or setting.weights == "imagenet":
        return setting.weights
    path = resolve(setting.weights)
    if not path.is_file():
        raise CxrbenchError(
            f"weights is {setting.weights!r}, and there is no file {path}; put the .weights.h5 file there, or set"
            " weights to imagenet or null"
        )
    return path


def data_sha256(rows: pd.DataFrame) -> str:
    """The hash of what a run sees: which image bytes, in which part, with which target, of which patient.

    ``rows``: source, image_id, sha256, patient_id, part, target, in the order of training.
    """
    text = rows[["source", "image_id", "sha256", "patient_id", "part", "target"]].to_csv(
        index=False, lineterminator="\n"
    )
    return hashlib.sha256(text.encode()).hexdigest()


@functools.cache
def code_sha256() -> str:
    """The hash of every file of the packages ``CODE``."""
    return tree_sha256(Path(cxrbench.__file__).parent, CODE)


def tree_sha256(root: Path, folders: tuple[str, ...]) -> str:
    """The hash of names and bytes of all files of these folders of ``root``; compiled ones are left out."""
    files = [path for folder in folders for path in (root / folder).rglob("*") if path.is_file()]
    digest = hashlib.sha256()
    for path in sorted(path for path in files if "__pycache__" not in path.parts):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + sha256_of(path).encode() + b"\0")
    return digest.hexdigest()
