"""Grad-CAM: where in an image a network finds what speaks for the class that it calls (Selvaraju et al. 2017).

A map of features counts by the mean gradient of the class's score by it; what is positive of the weighted sum is the
attention. Two choices are ours. The score is the log-odds of the called class before the last activation, so that one
sigmoid and two softmax outputs mean the same and a sure network has a gradient too. The maps are the last that all of
the output passes through and that have at least LEAST_CELLS cells a side: the very last maps of Inception V3 at 96 px,
for one, are a single cell.

It runs in a process of its own and on TensorFlow, whichever backend trained: Keras's file is the same for all. On
processor cores alone and in one thread, so that the same machine gives the same bits.
"""

import dataclasses
import os
from collections.abc import Sequence
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.processes import in_own_process

if TYPE_CHECKING:
    import keras

LEAST_CELLS = 4
AT_ONCE = 20  # images


@dataclasses.dataclass(frozen=True)
class Question:
    """A stored network, and what it calls each of some images."""

    network: Path  # .keras; takes grey squares of 0 black to 255 white
    images: np.ndarray  # uint8 [n, h, w, 1]
    called: np.ndarray  # int [n], 0 or 1


def answers(questions: Sequence[Question]) -> list[np.ndarray | str]:
    """For each question the attention, float32 [n, rows, columns] >= 0, or why there is none, as a clause."""
    if not questions:
        return []
    try:
        return in_own_process(_answer_all, list(questions))
    except BrokenProcessPool:
        return ["the process of TensorFlow ended before it answered"] * len(questions)


def _answer_all(questions: Sequence[Question]) -> list[np.ndarray | str]:
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    from cxrbench.training import backend

    backend.start(1)
    return [_answer(one) for one in questions]


def _answer(question: Question) -> np.ndarray | str:
    import keras

    from cxrbench.training.stored_network import load_network

    keras.utils.clear_session()
    try:
        network = load_network(question.network)
        batches = range(0, len(question.images), AT_ONCE)
        return np.concatenate([_of_batch(network, question, slice(first, first + AT_ONCE)) for first in batches])
    except CxrbenchError as error:
        return str(error)
    except Exception as error:  # Keras raises nearly anything on a file that is damaged or of another version
        return f"the stored network can't be used ({' '.join(str(error).split())[:200]})"


def _of_batch(network: "keras.Model", question: Question, chosen: slice) -> np.ndarray:
    return attention(network, question.images[chosen], question.called[chosen])


def attention(network: "keras.Model", images: np.ndarray, called: np.ndarray) -> np.ndarray:
    """The Grad-CAM of ``network``, which is left without its last activation: float32 [n, rows, columns], >= 0.

    images: uint8 [n, h, w, 1]. called: int [n], for which class each is asked. All 0: nothing speaks for the class.
    Raises CxrbenchError where the network is not of the form that training gives it.
    """
    import tensorflow as tf

    _open_end(network)
    layer = feature_layer(network)
    maps = []
    with tf.GradientTape(watch_accessed_variables=False) as tape:  # what is before the maps costs no memory
        call = layer.call

        def watched(*arguments: Any, **named: Any) -> Any:
            maps.append(call(*arguments, **named))
            tape.watch(maps[-1])
            return maps[-1]

        layer.call = watched
        try:
            output = network(images.astype("float32"), training=False)
        finally:
            layer.call = call
        odds = output[:, 0] if output.shape[1] == 1 else output[:, 1] - output[:, 0]  # log-odds of class 1
        asked = tf.cast(odds, tf.float32) * tf.constant(np.where(called == 1, 1.0, -1.0), tf.float32)
    features = np.asarray(tf.cast(maps[-1], tf.float32))
    gradient = np.asarray(tf.cast(tape.gradient(asked, maps[-1], unconnected_gradients="zero"), tf.float32))
    weights = gradient.mean(axis=(1, 2))
    return np.maximum(np.einsum("nijc,nc->nij", features, weights), 0)


def feature_layer(network: "keras.Model") -> "keras.Layer":
    """The last layer that all of the output passes through and whose maps have at least LEAST_CELLS cells a side."""
    import keras

    while inner := [layer for layer in network.layers if isinstance(layer, keras.Model)]:
        network = inner[-1]
    layers = network.layers
    last_use = {id(taken): place for place, layer in enumerate(layers) for taken in keras.tree.flatten(layer.input)}
    reaches, learnt = -1, False  # how far what came before is still used; whether a layer so far has weights
    found = None
    for place, layer in enumerate(layers):
        learnt = learnt or bool(layer.weights)
        shape = getattr(layer.output, "shape", ())
        if learnt and reaches <= place and len(shape) == 4 and min(shape[1:3]) >= LEAST_CELLS:
            found = layer
        reaches = max(reaches, last_use.get(id(layer.output), -1))
    if found is None:
        raise CxrbenchError(f"the network has no maps of at least {LEAST_CELLS} by {LEAST_CELLS} cells")
    return found


def _open_end(network: "keras.Model") -> None:
    """Takes the activation off the output layer, so that the network gives what comes before it."""
    import keras

    last = network.layers[-1]
    while isinstance(last, keras.Model):
        last = last.layers[-1]
    name = getattr(getattr(last, "activation", None), "__name__", None)
    if (name, network.output_shape[-1]) not in (("sigmoid", 1), ("softmax", 2), ("linear", 1), ("linear", 2)):
        raise CxrbenchError(f"the network ends in {name} of {network.output_shape[-1]}, not in sigmoid or softmax")
    last.activation = keras.activations.linear
