"""Steps as functions that JAX compiles, from the state of training to the state after them.

On an accelerator all whole batches of a stack are one compiled loop. On a CPU each step is a call of its own: inside a
compiled loop XLA's convolutions there took 20 times as long.
"""

from typing import TYPE_CHECKING, Any

import jax
import keras
import numpy as np

if TYPE_CHECKING:
    from cxrbench.training.trainer import Parts

State = tuple[list[jax.Array], list[jax.Array], list[jax.Array]]  # weights, other variables of the model, optimizer's


class BackendSteps:
    """See ``Steps``. A loop's batches lie in a buffer of one size: JAX compiles anew for each shape."""

    def __init__(self, parts: "Parts") -> None:
        self.parts = parts
        self._in_a_loop = jax.default_backend() != "cpu"
        self._buffer_batches, self._largest = 0, 0  # what was compiled: batches of a loop, images to predict
        self._loop = jax.jit(self._whole_batches, static_argnums=3, donate_argnums=0)
        self._step = jax.jit(self._one_step, donate_argnums=0)
        self._predict = jax.jit(self._output)

    def train(self, images: np.ndarray, labels: np.ndarray, batch_size: int) -> tuple[Any, Any]:
        state, loss, right = _values(self.parts), 0.0, 0.0
        whole = len(images) // batch_size if self._in_a_loop else 0
        if whole:
            self._buffer_batches = max(self._buffer_batches, whole)
            size = self._buffer_batches * batch_size
            stack = tuple(_padded(values[: whole * batch_size], size) for values in (images, labels))
            state, loss, right = self._loop(state, stack, whole, batch_size)
        for first in range(whole * batch_size, len(images), batch_size):
            batch = slice(first, first + batch_size)
            state, more_loss, more_right = self._step(state, images[batch], labels[batch])
            loss, right = loss + more_loss, right + more_right
        _assign(self.parts, state)
        return loss, right

    def predict(self, images: np.ndarray) -> np.ndarray:
        weights, others, _ = _values(self.parts, self.parts.network)
        self._largest = max(self._largest, len(images))
        return np.asarray(self._predict(weights, others, _padded(images, self._largest)))[: len(images)]

    def _whole_batches(
        self, state: State, stack: tuple[jax.Array, jax.Array], whole: jax.Array, batch_size: int
    ) -> tuple[State, jax.Array, jax.Array]:
        def body(batch: jax.Array, carried: tuple[State, jax.Array, jax.Array]) -> tuple[State, jax.Array, jax.Array]:
            images, labels = (jax.lax.dynamic_slice_in_dim(values, batch * batch_size, batch_size) for values in stack)
            state, loss, right = carried
            state, more_loss, more_right = self._one_step(state, images, labels)
            return state, loss + more_loss, right + more_right

        zero = jax.numpy.zeros((), "float32")
        result: tuple[State, jax.Array, jax.Array] = jax.lax.fori_loop(0, whole, body, (state, zero, zero))
        return result

    def _one_step(self, state: State, images: jax.Array, labels: jax.Array) -> tuple[State, jax.Array, jax.Array]:
        parts = self.parts
        weights, others, optimizer = state

        def cost(weights: list[jax.Array]) -> tuple[jax.Array, tuple[jax.Array, list[jax.Array]]]:
            output, changed, penalties = parts.model.stateless_call(
                weights, others, images, training=True, return_losses=True
            )
            return parts.loss(labels, output) + sum(penalties), (output, changed)

        (loss, (output, others)), gradients = jax.value_and_grad(cost, has_aux=True)(weights)
        weights, optimizer = parts.optimizer.stateless_apply(optimizer, gradients, weights)
        return (weights, others, optimizer), loss * len(images), keras.ops.sum(parts.right(labels, output))

    def _output(self, weights: list[jax.Array], others: list[jax.Array], images: jax.Array) -> jax.Array:
        output: jax.Array = self.parts.network.stateless_call(weights, others, images, training=False)[0]
        return output


def _padded(values: np.ndarray, size: int) -> np.ndarray:
    padded = np.zeros((size, *values.shape[1:]), values.dtype)
    padded[: len(values)] = values
    return padded


def _values(parts: "Parts", model: keras.Model | None = None) -> State:
    model = model or parts.model
    groups = (model.trainable_variables, model.non_trainable_variables, parts.optimizer.variables)
    weights, others, optimizer = ([variable.value for variable in group] for group in groups)
    return weights, others, optimizer


def _assign(parts: "Parts", state: State) -> None:
    groups = (parts.model.trainable_variables, parts.model.non_trainable_variables, parts.optimizer.variables)
    for variables, values in zip(groups, state):
        for variable, value in zip(variables, values):
            variable.assign(value)
