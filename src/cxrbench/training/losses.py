"""Loss functions by name; the output layer and the form of the labels follow the loss.

The cross-entropies that Seo and Cho (2021) compare, and what a reader would ask for next: the focal forms
(Lin et al. 2017, gamma 2, no class weights) and label smoothing by 0.1 (Szegedy et al. 2016).
"""

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import keras


@dataclasses.dataclass(frozen=True)
class LossForm:
    """What a loss asks of the network's output and of the labels."""

    keras_name: str
    arguments: tuple[tuple[str, float], ...]
    units: int
    activation: str
    labels: str  # binary: [n, 1] of 0/1; one_hot: [n, 2]; index: [n] of 0/1


LOSS_FORMS = {
    "binary_crossentropy": LossForm("BinaryCrossentropy", (), 1, "sigmoid", "binary"),
    "categorical_crossentropy": LossForm("CategoricalCrossentropy", (), 2, "softmax", "one_hot"),
    "sparse_categorical_crossentropy": LossForm("SparseCategoricalCrossentropy", (), 2, "softmax", "index"),
    "binary_focal_crossentropy": LossForm("BinaryFocalCrossentropy", (("gamma", 2.0),), 1, "sigmoid", "binary"),
    "categorical_focal_crossentropy": LossForm(
        "CategoricalFocalCrossentropy", (("alpha", 1.0), ("gamma", 2.0)), 2, "softmax", "one_hot"
    ),
    "label_smoothed_crossentropy": LossForm("BinaryCrossentropy", (("label_smoothing", 0.1),), 1, "sigmoid", "binary"),
}


def build(name: str) -> "keras.losses.Loss":
    import keras

    form = LOSS_FORMS[name]
    return getattr(keras.losses, form.keras_name)(**dict(form.arguments))


def labels_for(name: str, target: np.ndarray) -> np.ndarray:
    """Targets int [n] of 0/1 in the form the loss wants: float32 [n, 1] or [n, 2], or int32 [n]."""
    form = LOSS_FORMS[name].labels
    if form == "binary":
        return target.astype("float32")[:, None]
    if form == "one_hot":
        return np.eye(2, dtype="float32")[target]
    return target.astype("int32")


def probability_of_target(name: str, output: np.ndarray) -> np.ndarray:
    """P(target = 1), float64 [n], from the network's output [n, units]."""
    return output[:, LOSS_FORMS[name].units - 1].astype("float64")
