"""Loss functions by name, the labels in the form that each wants, and P(target = 1) from the network's output.

Keras's stand in ``config.loss_forms``. Another one has a module, which is found by its name (``base.plugins``):

    LABELS: str                      the form of its labels: 'binary' [n, 1] of 0/1, 'one_hot' [n, 2], 'index' [n]
    build() -> keras.losses.Loss     of labels in that form and the output [n, 1] or [n, 2], probabilities
"""

from typing import Any

import keras
import numpy as np
from keras import ops

from cxrbench.base import plugins
from cxrbench.config.loss_forms import form_of


def build(name: str) -> keras.losses.Loss:
    """The loss ``name``: of Keras with the arguments of its form, or what its module builds."""
    form = form_of(name)
    if form.keras_name:
        return getattr(keras.losses, form.keras_name)(**dict(form.arguments))
    loss: keras.losses.Loss = plugins.load("loss", name).build()
    return loss


def labels_for(name: str, target: np.ndarray) -> np.ndarray:
    """Targets int [n] of 0/1 in the form the loss wants: float32 [n, 1] or [n, 2], or int32 [n]."""
    form = form_of(name).labels
    if form == "binary":
        return target.astype("float32")[:, None]
    if form == "one_hot":
        return np.eye(2, dtype="float32")[target]
    return target.astype("int32")


def right(name: str, labels: Any, output: Any) -> Any:
    """float32 [n], a tensor of the backend: 1 where the likelier class is the label, as ``labels_for`` gives it."""
    form, output = form_of(name).labels, ops.convert_to_tensor(output)
    if form == "binary":
        same = (output[:, 0] > 0.5) == (ops.convert_to_tensor(labels)[:, 0] > 0.5)
    else:
        wanted = ops.argmax(labels, axis=1) if form == "one_hot" else labels
        same = ops.equal(ops.argmax(output, axis=1), ops.cast(wanted, "int32"))
    return ops.cast(same, "float32")


def probability_of_target(name: str, output: np.ndarray) -> np.ndarray:
    """P(target = 1), float64 [n], from the network's output [n, units]."""
    return output[:, form_of(name).units - 1].astype("float64")
