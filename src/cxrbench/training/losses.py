"""Loss functions by name, the labels in the form that each wants, and P(target = 1) from the network's output."""

import keras
import numpy as np

from cxrbench.config.loss_forms import LOSS_FORMS


def build(name: str) -> keras.losses.Loss:
    """The loss ``name`` with its arguments in ``LOSS_FORMS``."""
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
