"""One full set of training choices: what a study varies and a run's fingerprint covers.

Names only, no Keras: a bad value is refused before anything heavy is imported. Tests hold that these
names are exactly the ones that ``models`` and ``training`` provide.
"""

import dataclasses
import difflib
import math
from collections.abc import Mapping
from typing import Any

from cxrbench.errors import CxrbenchError
from cxrbench.manifest import PROTOCOLS

MODELS = ("small_cnn", "covid_cnn", "xception", "inception_v3")
LOSSES = (
    "binary_crossentropy",
    "categorical_crossentropy",
    "sparse_categorical_crossentropy",
    "binary_focal_crossentropy",
    "categorical_focal_crossentropy",
    "label_smoothed_crossentropy",
)
OPTIMIZERS = ("adam", "rmsprop", "sgd")
RESIZES = ("squash", "pad")
AUGMENTS = ("none", "paper")
CHECKPOINTS = ("last", "best")


@dataclasses.dataclass(frozen=True)
class Setting:
    """What decides a run, but for its seed, its data and the code."""

    cohort: str = "pneumonia"  # a name of params.yaml's cohorts, or 'views': the view network's own images
    protocol: str = "paper"
    model: str = "small_cnn"
    weights: str | None = None  # null (random), 'imagenet', or a .weights.h5 file
    image_size: int = 64  # pixels, square
    resize: str = "squash"  # squash | pad
    augment: str = "none"  # none | paper: Choe & Jo 2020: rotation to 45 degrees, shift, shear, zoom, mirror
    optimizer: str = "adam"
    lr: float = 0.001
    batch_size: int = 32
    epochs: int = 4
    loss: str = "binary_crossentropy"
    padding: int | None = None  # pixels around each convolution's input; only covid_cnn has it
    checkpoint: str = "last"  # last | best: the epoch of the lowest validation loss

    def __post_init__(self) -> None:
        _check_choice("protocol", self.protocol, PROTOCOLS)
        _check_choice("model", self.model, MODELS)
        _check_choice("loss", self.loss, LOSSES)
        _check_choice("optimizer", self.optimizer, OPTIMIZERS)
        _check_choice("resize", self.resize, RESIZES)
        _check_choice("augment", self.augment, AUGMENTS)
        _check_choice("checkpoint", self.checkpoint, CHECKPOINTS)
        _check_number("lr", self.lr, float, 0, 100, open_below=True)
        _check_number("batch_size", self.batch_size, int, 1, 65536)
        _check_number("epochs", self.epochs, int, 1, 100_000)
        _check_number("image_size", self.image_size, int, 8, 4096)
        object.__setattr__(self, "lr", float(self.lr))
        if self.model == "covid_cnn":
            _check_number("padding", self.padding, int, 0, 16)
        elif self.padding is not None:
            raise CxrbenchError(
                f"padding is {self.padding}, but only covid_cnn has that setting and model is {self.model}; set padding to null"
            )
        if not (isinstance(self.cohort, str) and self.cohort):
            raise CxrbenchError(f"cohort is {self.cohort!r}; it must be the name of a cohort")
        if not (self.weights is None or (isinstance(self.weights, str) and self.weights)):
            raise CxrbenchError(
                f"weights is {self.weights!r}; it must be null, 'imagenet' or the path of a .weights.h5 file"
            )


SETTING_KEYS = tuple(field.name for field in dataclasses.fields(Setting))


def replace(setting: Setting, overrides: Mapping[str, Any], where: str) -> Setting:
    """``setting`` with ``overrides``; an unknown key or bad value is an error that names ``where``."""
    for key in overrides:
        if key not in SETTING_KEYS:
            raise CxrbenchError(f"{where}: {unknown(key, SETTING_KEYS)}")
    try:
        return dataclasses.replace(setting, **overrides)
    except CxrbenchError as error:
        raise CxrbenchError(f"{where}: {error}") from None


def unknown(key: str, known: tuple[str, ...]) -> str:
    """A clause that says a key is unknown and what its writer may have meant."""
    close = difflib.get_close_matches(str(key), known, n=1)
    meant = f"did you mean '{close[0]}'?" if close else f"known are {', '.join(known)}"
    return f"'{key}' is unknown; {meant}"


def _check_choice(name: str, value: object, known: tuple[str, ...]) -> None:
    if value not in known:
        raise CxrbenchError(f"{name}: {unknown(str(value), known)}")


def _check_number(name: str, value: object, kind: type, low: float, high: float, open_below: bool = False) -> None:
    allowed = (int, float) if kind is float else (int,)
    if isinstance(value, bool) or not isinstance(value, allowed) or not math.isfinite(value):
        raise CxrbenchError(f"{name} is {value!r}; it must be {'a number' if kind is float else 'a whole number'}")
    if value < low or value > high or (open_below and value == low):
        raise CxrbenchError(
            f"{name} is {value}; it must be {'above' if open_below else 'at least'} {low} and at most {high}"
        )
