"""One full set of training choices: what a study varies and a run's fingerprint covers.

Names only, no Keras: a bad value is refused before anything heavy is imported. Tests hold that these
names are exactly the ones that ``models`` and ``training`` provide.
"""

import dataclasses
from typing import Any

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.tables import PROTOCOLS
from cxrbench.config.values import choice, number, section

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
RESIZES = ("squash", "pad", "trim")
AUGMENTS = ("none", "paper", "robust")
CHECKPOINTS = ("last", "best")


@dataclasses.dataclass(frozen=True)
class Setting:
    """What decides a run, but for its seed, its data and the code."""

    cohort: str = "pneumonia"  # a name of params.yaml's cohorts, or 'views': the view network's own images
    protocol: str = "paper"
    model: str = "small_cnn"
    weights: str | None = None  # null (random), 'imagenet', or a .weights.h5 file
    image_size: int = 64  # pixels, square
    resize: str = "squash"  # squash | pad | trim: squash what a uniform margin surrounds
    augment: str = "none"  # none | paper: the maps of Choe & Jo 2020 | robust: maps, tone, noise, negatives, margins
    balance: bool = False  # an epoch shows the classes of each source equally often; a rarer one is repeated
    optimizer: str = "adam"
    lr: float = 0.001
    batch_size: int = 32
    epochs: int = 3
    loss: str = "binary_crossentropy"
    padding: int | None = None  # pixels around each convolution's input; only covid_cnn has it
    checkpoint: str = "last"  # last | best: the epoch of the lowest validation loss

    def __post_init__(self) -> None:
        choice("protocol", self.protocol, PROTOCOLS)
        choice("model", self.model, MODELS)
        choice("loss", self.loss, LOSSES)
        choice("optimizer", self.optimizer, OPTIMIZERS)
        choice("resize", self.resize, RESIZES)
        choice("augment", self.augment, AUGMENTS)
        choice("checkpoint", self.checkpoint, CHECKPOINTS)
        number("lr", self.lr, 0, 100, above=True)
        number("batch_size", self.batch_size, 1, 65536, whole=True)
        number("epochs", self.epochs, 1, 100_000, whole=True)
        number("image_size", self.image_size, 8, 4096, whole=True)
        if not isinstance(self.balance, bool):
            raise CxrbenchError(f"balance is {self.balance!r}; it must be true or false")
        object.__setattr__(self, "lr", float(self.lr))
        if self.model == "covid_cnn":
            number("padding", self.padding, 0, 16, whole=True)
        elif self.padding is not None:
            raise CxrbenchError(
                f"padding is {self.padding}, but only covid_cnn has that setting and model is {self.model};"
                " set padding to null"
            )
        if not (isinstance(self.cohort, str) and self.cohort):
            raise CxrbenchError(f"cohort is {self.cohort!r}; it must be the name of a cohort")
        if not (self.weights is None or (isinstance(self.weights, str) and self.weights)):
            raise CxrbenchError(
                f"weights is {self.weights!r}; it must be null, 'imagenet' or the path of a .weights.h5 file"
            )


SETTING_KEYS = tuple(field.name for field in dataclasses.fields(Setting))


def replace(setting: Setting, overrides: dict[str, Any], where: str) -> Setting:
    """``setting`` with ``overrides``; an unknown key or bad value is an error that names ``where``."""
    section(where, overrides, SETTING_KEYS)
    try:
        return dataclasses.replace(setting, **overrides)
    except CxrbenchError as error:
        raise CxrbenchError(f"{where}: {error}") from None
