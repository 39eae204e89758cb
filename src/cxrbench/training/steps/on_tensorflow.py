"""Steps as a loop inside one TensorFlow graph."""

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

if TYPE_CHECKING:
    from cxrbench.training.trainer import Parts


class BackendSteps:
    """See ``Steps``. XLA compiles the step on a GPU alone: on two cores it made small networks half as fast."""

    def __init__(self, parts: "Parts") -> None:
        self.parts = parts
        images = tf.TensorSpec([None, *parts.model.input_shape[1:]], parts.model.inputs[0].dtype)
        labels = tf.TensorSpec([None, *parts.labels_like.shape[1:]], parts.labels_like.dtype)
        on_gpu = bool(tf.config.list_physical_devices("GPU"))
        self._step = tf.function(self._one_step, jit_compile=True, autograph=False) if on_gpu else self._one_step
        self._train = tf.function(
            self._loop, input_signature=[images, labels, tf.TensorSpec([], "int32")], autograph=False
        )
        self._predict = tf.function(
            lambda batch: parts.network(batch, training=False), input_signature=[images], autograph=False
        )

    def train(self, images: np.ndarray, labels: np.ndarray, batch_size: int) -> tuple[Any, Any]:
        return self._train(images, labels, batch_size)

    def predict(self, images: np.ndarray) -> np.ndarray:
        output: np.ndarray = self._predict(images).numpy()
        return output

    def _loop(self, images: tf.Tensor, labels: tf.Tensor, batch_size: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        def body(first: tf.Tensor, loss: tf.Tensor, right: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            end = first + batch_size
            more_loss, more_right = self._step(images[first:end], labels[first:end])
            return end, loss + more_loss, right + more_right

        count, zero = tf.shape(images)[0], tf.zeros([], "float32")
        _, loss, right = tf.while_loop(lambda first, *_: first < count, body, (0, zero, zero), parallel_iterations=1)
        return loss, right

    def _one_step(self, images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        parts, weights = self.parts, self.parts.model.trainable_variables
        with tf.GradientTape() as tape:
            output = parts.model(images, training=True)
            loss = parts.loss_of(labels, output)
        parts.optimizer.apply(tape.gradient(loss, [weight.value for weight in weights]), weights)
        return loss * tf.cast(tf.shape(images)[0], "float32"), keras.ops.sum(parts.right(labels, output))
