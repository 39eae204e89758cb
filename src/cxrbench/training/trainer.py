"""A compiled trainer, traced once for runs of one graph.

Seed, weights, learning rate and data change no graph. To trace a step of the small networks takes as long as two or
three of their epochs, and a study trains a dozen runs of one graph. What a run computes does not depend on the runs
that its process trained before: everything that training changes is set anew.
"""

import dataclasses
import functools
from typing import TYPE_CHECKING

import keras
from keras import ops

from cxrbench.config.loss_forms import LOSS_FORMS
from cxrbench.training import augment, losses, models

if TYPE_CHECKING:
    from cxrbench.runs.job import Job

STEPS_A_CALL = 16  # a call costs a step of batch 4 of a small network a third of its time; the result is the same


@dataclasses.dataclass(frozen=True)
class Trainer:
    """``network`` maps grey images to the output; ``compiled`` trains it behind the augmentation ``change``."""

    network: keras.Model
    change: augment.RandomChange | None
    compiled: keras.Model

    def restart(self, network: keras.Model, seed: int, lr: float) -> None:
        """Sets everything that training changes as it is before the first step."""
        self.network.set_weights(network.get_weights())
        for variable in self.compiled.optimizer.variables:  # Keras's optimizers start from zeros
            variable.assign(ops.zeros_like(variable))
        self.compiled.optimizer.learning_rate = lr
        if self.change is not None:
            self.change.restart(seed)


def untrained(job: "Job") -> Trainer:
    """The trainer of ``job`` before its first step; seeds Python, NumPy and the backend."""
    keras.utils.clear_session()  # layers of earlier runs in this process
    keras.utils.set_random_seed(job.seed)
    setting = job.setting
    model, size_px, padding_px, loss = (setting[key] for key in ("model", "image_size", "padding", "loss"))
    network = _network(model, size_px, padding_px, loss, job.weights)
    trainer = _traced(model, size_px, padding_px, loss, setting["optimizer"], setting["augment"])
    trainer.restart(network, job.seed, setting["lr"])
    keras.utils.set_random_seed(job.seed)  # a trainer that was made just now drew numbers
    return trainer


@functools.lru_cache(maxsize=1)  # runs of one graph follow each other, and a large network fills the memory
def _traced(
    model: str, image_size_px: int, padding_px: int | None, loss: str, optimizer: str, augmentation: str
) -> Trainer:
    network = _network(model, image_size_px, padding_px, loss, None)
    change = augment.layer(augmentation, 0)
    layers = [keras.Input(network.input_shape[1:]), change, network]
    compiled = keras.Sequential([layer for layer in layers if layer is not None])
    compiled.compile(
        optimizer=keras.optimizers.get(optimizer), loss=losses.build(loss), metrics=["accuracy"], jit_compile=_jit(),
        steps_per_execution=STEPS_A_CALL,
    )  # fmt: skip
    return Trainer(network, change, compiled)


def _network(model: str, image_size_px: int, padding_px: int | None, loss: str, weights: str | None) -> keras.Model:
    form = LOSS_FORMS[loss]
    return models.on_grey(models.build(model, image_size_px, form.units, form.activation, weights, padding_px))


def _jit() -> bool | str:
    """Keras's jit_compile: XLA made the small network on TensorFlow's CPU backend half as fast (benchmarks)."""
    if keras.backend.backend() != "tensorflow":
        return "auto"
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))
