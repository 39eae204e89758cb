"""The fingerprint of a run: the hash of all that decides its result, and of nothing else.

It holds

- the setting, whole, as values, but for defaults of settings that came later, and what the name of its loss stands
  for; of a weights file the content;
- the seed, and the data: which image bytes, in which part, with which target, in which order;
- the code between an image file and a stored score, by what it does (see ``base.code``): a comment, a docstring, the
  layout of lines, an annotation or a file's new place trains nothing again. The common code counts for every run: all
  that ``images.squares`` and ``training.fit`` import of the packages ``images`` and ``training``. Of the modules that
  are found by a name, a run's own count alone: the steps of its backend, its model and its augmentation, with what
  these import. A new model, a new augmentation or another backend's steps train no other run again. Keras's losses and
  optimizers have no code here, but by name and arguments. Of a module in an installed package of your own counts what
  it imports of that package;
- the backend, the versions of the libraries that compute and decode, and the device: 'cpu' or an accelerator's name,
  whose kernels add in another order.

The packages ``base`` and ``config`` are not hashed as code. ``base`` holds no arithmetic that reaches a score, and of
``config`` the values count: a new setting, study or cohort would else train every run again. Keras's own settings are
among the code: training/backend.py fixes them. Not in it is what was measured to change no bit
(benchmarks/determinism.py): how many workers train side by side, and what else the machine does. Neither is the
processor's model, though another one may add in another order: a store may be carried to another machine, and a run's
record names the processor.
"""

import dataclasses
import functools
import hashlib
import json
from pathlib import Path
from typing import Any

import pandas as pd

from cxrbench.base import plugins
from cxrbench.base.code import Code
from cxrbench.base.errors import CxrbenchError
from cxrbench.base.files import sha256_of
from cxrbench.base.workspace import resolve
from cxrbench.config.loss_forms import LOSS_FORMS
from cxrbench.config.optimizers import OPTIMIZERS
from cxrbench.config.setting import FILE_KEYS, LATER_KEYS, Setting
from cxrbench.images import decode
from cxrbench.runs.device import device
from cxrbench.training import backend

HASHED = ("cxrbench.images", "cxrbench.training")  # packages whose modules count by what they do
BACKBONE_KEYS = ("model", "padding", "hide", "precision", "threads")  # that decide what a backbone makes of an array
COMMON = ("cxrbench.images.squares", "cxrbench.training.fit")  # what every run passes through


def fingerprint(setting: Setting, seed: int, data_sha256: str) -> str:
    """16 hex digits that name the run of ``setting`` with ``seed`` on the data of that hash, trained on this machine.

    Raises CxrbenchError where a weights file or the Keras backend is missing.
    """
    decides = {
        "setting": {key: value for key, value in values_of(setting).items() if key not in FILE_KEYS},
        "loss": dataclasses.asdict(LOSS_FORMS[setting.loss]) if setting.loss in LOSS_FORMS else None,
        "seed": seed,
        "data": data_sha256,
        **_computes(setting),
    }
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:16]


def features_name(setting: Setting) -> str:
    """16 hex digits that name what the frozen backbone of ``setting`` makes of the images of an array."""
    decides = {"setting": {key: getattr(setting, key) for key in BACKBONE_KEYS}, **_computes(setting)}
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:16]


def _computes(setting: Setting) -> dict[str, Any]:
    """What computes, and from which weights."""
    start = weights_of(setting)
    return {
        "weights": sha256_of(start) if isinstance(start, Path) else start,
        "code": [code(module).sha256(module) for module in modules(setting)],
        "backend": backend.backend_name(),
        "versions": {**backend.versions(), **decode.decoders()},
        "device": device(),
    }


def modules(setting: Setting) -> list[str]:
    """The modules whose code a run of ``setting`` passes through on this backend, but for those that they import."""
    named = [("model", setting.model)]
    named += [] if setting.augment == "none" else [("augmentation", setting.augment)]
    named += [] if setting.loss in LOSS_FORMS else [("loss", setting.loss)]
    named += [] if setting.optimizer in OPTIMIZERS else [("optimizer", setting.optimizer)]
    steps = f"cxrbench.training.steps.on_{backend.backend_name()}"
    return [*COMMON, steps, *(plugins.module_of(kind, name) for kind, name in named)]


def code(module: str) -> Code:
    """The code of the installed package that ``module`` belongs to, read once for a process."""
    return _code(*plugins.source_of(module))


@functools.cache
def _code(package: str, source: Path) -> Code:
    return Code(HASHED if package == "cxrbench" else (package,), source)


def values_of(setting: Setting) -> dict[str, Any]:
    """Every key of a setting and its value, as a run's record has them: no default of a setting that came later."""
    fields = Setting.model_fields
    return setting.model_dump(exclude={key for key in LATER_KEYS if getattr(setting, key) == fields[key].default})


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
