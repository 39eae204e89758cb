"""A network with all that trains it, traced once for runs of one graph.

Seed, weights, learning rate, batch size and data change no graph. To trace a step of the small networks takes as long
as several of their epochs, and a study trains a dozen runs of one graph. What a run computes does not depend on the
runs that its process trained before: everything that training changes is set anew.
"""

import dataclasses
import functools
import random
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

from cxrbench.config.loss_forms import form_of
from cxrbench.training import augment, losses, models, optimizers
from cxrbench.training.hide import Images
from cxrbench.training.steps import Steps, steps

if TYPE_CHECKING:
    from cxrbench.runs.job import Job

STACK_BYTES = 32_000_000  # of images in one call; their order is drawn, so they are copied out of the shared array
PREDICT_BATCH = 256


@dataclasses.dataclass(frozen=True)
class Parts:
    """``network`` maps grey images to the output; ``model`` is it behind the augmentation."""

    network: keras.Model
    model: keras.Model
    loss_name: str
    loss: keras.losses.Loss
    optimizer: keras.optimizers.Optimizer

    @functools.cached_property
    def labels_like(self) -> np.ndarray:
        """Labels of one image, of the dtype and shape of all."""
        return losses.labels_for(self.loss_name, np.zeros(1, "int32"))

    def loss_of(self, labels: Any, output: Any) -> Any:
        """The mean loss of a batch and what layers add to it: a scalar of the backend."""
        return self.loss(labels, output) + sum(self.model.losses)

    def right(self, labels: Any, output: Any) -> Any:
        """float32 [n]: 1 where the answer is right."""
        return losses.right(self.loss_name, labels, output)


@dataclasses.dataclass(frozen=True)
class Trainer:
    """Trains and applies the network of ``parts``."""

    parts: Parts
    steps: Steps
    start: list[np.ndarray]  # the optimizer's variables before the first step, most of them 0

    def restart(self, network: keras.Model, lr: float) -> None:
        """Sets everything that training changes as it is before the first step."""
        self.go_on(network.get_weights(), self.start)
        self.parts.optimizer.learning_rate = lr

    def state(self) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """All that training has changed: the network's weights, the optimizer's variables."""
        return self.parts.network.get_weights(), [ops.convert_to_numpy(v) for v in self.parts.optimizer.variables]

    def go_on(self, weights: list[np.ndarray], optimizer: list[np.ndarray]) -> None:
        """Sets a ``state`` again; ValueError, and nothing is set, where it is not one of this network."""
        for values, variables in ((weights, self.parts.network.weights), (optimizer, self.parts.optimizer.variables)):
            shapes, wanted = ([tuple(one.shape) for one in group] for group in (values, variables))
            if shapes != wanted:
                raise ValueError(f"it holds arrays of shapes {shapes}, but the network has {wanted}")
        self.parts.network.set_weights(weights)
        for variable, value in zip(self.parts.optimizer.variables, optimizer):
            variable.assign(value)

    def epoch(
        self, images: Images, places: np.ndarray, labels: np.ndarray, batch_size: int, seed: tuple[int, int]
    ) -> tuple[float, float]:
        """One step for each batch of ``images[places]``, in an order that ``seed`` draws; mean loss and accuracy.

        images: uint8 [N, h, w, 1]. places: int [n], of training images. labels: [n, ...] in the form of the loss.
        seed: of the run, and the number of the epoch; the same two draw the same order and the same augmentation.
        """
        order = np.random.default_rng(seed).permutation(len(places))
        self._reseed(seed)
        at_once = max(1, STACK_BYTES // (images[0].nbytes * batch_size)) * batch_size
        sums = []
        for first in range(0, len(order), at_once):
            drawn = order[first : first + at_once]
            sums.append(self.steps.train(images[places[drawn]], labels[drawn], batch_size))
        loss, right = np.sum([[float(value) for value in pair] for pair in sums], axis=0) / len(order)
        return float(loss), float(right)

    def predict(self, images: Images, places: np.ndarray) -> np.ndarray:
        """The output, float32 [n, units], for ``images[places]``."""
        batches = [places[first : first + PREDICT_BATCH] for first in range(0, len(places), PREDICT_BATCH)]
        return np.concatenate([self.steps.predict(images[batch]) for batch in batches])

    def _reseed(self, seed: tuple[int, int]) -> None:
        """Sets every random generator of the layers: augmentation, dropout."""
        states = [v for v in self.parts.model.variables if v.path.endswith("seed_generator_state")]
        for number, state in enumerate(states):
            state.assign(np.random.SeedSequence([*seed, number]).generate_state(2))


def untrained(job: "Job") -> Trainer:
    """The trainer of ``job`` before its first step."""
    setting = job.setting
    form = [setting[key] for key in ("model", "image_size", "padding", "loss", "precision")]
    trainer = traced(*form, setting["optimizer"], setting["augment"])
    random.seed(job.seed)  # Keras draws its seeds there; its set_random_seed would also drop TensorFlow's kernels
    network = _network(job.weights, *form)
    trainer.restart(network, setting["lr"])
    return trainer


@functools.lru_cache(maxsize=1)  # runs of one graph follow each other, and a large network fills the memory
def traced(
    model: str, image_size_px: int, padding_px: int | None, loss: str, precision: str, optimizer: str, augmentation: str
) -> Trainer:
    """A trainer of this form, with any weights; the one made last is kept."""
    keras.utils.clear_session()  # of the trainer before; it would also make TensorFlow prepare this one's graph anew
    network = _network(None, model, image_size_px, padding_px, loss, precision)
    change = augment.layer(augmentation, 0)
    layers = [keras.Input(network.input_shape[1:], dtype="uint8"), *([change] if change else []), network]
    parts = Parts(network, keras.Sequential(layers), loss, losses.build(loss), optimizers.build(optimizer))
    parts.optimizer.build(parts.model.trainable_variables)
    return Trainer(parts, steps(parts), [ops.convert_to_numpy(v) for v in parts.optimizer.variables])


def _network(
    weights: str | None, model: str, image_size_px: int, padding_px: int | None, loss: str, precision: str
) -> keras.Model:
    form = form_of(loss)
    keras.config.set_dtype_policy(precision)  # layers take it as they are made
    try:
        return models.on_grey(models.build(model, image_size_px, form.units, form.activation, weights, padding_px))
    finally:
        keras.config.set_dtype_policy("float32")
