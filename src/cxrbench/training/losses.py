"""Loss functions by name, the labels in the form that each wants, and P(target = 1) from the network's output."""

from typing import Any

import keras
import numpy as np
from keras import ops

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


def right(name: str, labels: Any, output: Any) -> Any:
    """float32 [n], a tensor of the backend: 1 where the likelier class is the label, as ``labels_for`` gives it."""
    form, output = LOSS_FORMS[name].labels, ops.convert_to_tensor(output)
    if form == "binary":
        same = (output[:, 0] > 0.5) == (ops.convert_to_tensor(labels)[:, 0] > 0.5)
    else:
        wanted = ops.argmax(labels, axis=1) if form == "one_hot" else labels
        same = ops.equal(ops.argmax(output, axis=1), ops.cast(wanted, "int32"))
    return ops.cast(same, "float32")


def probability_of_target(name: str, output: np.ndarray) -> np.ndarray:
    """P(target = 1), float64 [n], from the network's output [n, units]."""
    return output[:, LOSS_FORMS[name].units - 1].astype("float64")
