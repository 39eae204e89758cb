"""Networks whose backbone is frozen, for the whole run or at first: the output layer, the head, learns alone.

The frozen backbone is in inference mode: its batch normalisation uses the means of the weights that it starts from,
and nothing is dropped. So it makes the same of an image in every epoch, and each image goes through it once
(``features``). Where training images are augmented they are other ones each time, and go through it each time.
"""

import dataclasses
import functools
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from cxrbench.training import augment, optimizers
from cxrbench.training.features import kept_features
from cxrbench.training.hide import Images
from cxrbench.training.steps import steps
from cxrbench.training.trainer import Parts, Trainer
from cxrbench.training.trainer import untrained as untrained_whole

if TYPE_CHECKING:
    from cxrbench.runs.job import Job


def untrained(job: "Job") -> "Trainer | HeadFirst":
    """What trains ``job``, before its first step."""
    trainer = untrained_whole(job)
    return trainer if job.setting.get("backbone", "trained") == "trained" else HeadFirst(trainer, job)


class HeadFirst:
    """Trains the head of ``whole``'s network, and after the head's epochs all of it; used as a ``Trainer`` is.

    Both trainers have the same variables, and each an optimizer of its own: that of all layers begins when they do.
    """

    def __init__(self, whole: Trainer, job: "Job") -> None:
        setting = job.setting
        self.parts = whole.parts
        self._whole, self._job = whole, job
        self._head_epochs = setting.get("head_epochs") or setting["epochs"]
        self._backbone, head = parted(whole.parts.network)
        self._in_memory: np.ndarray | None = None
        change = augment.layer(setting["augment"], 0)
        self._once = change is None  # whether an image goes through the backbone once
        optimizer = optimizers.build(setting["optimizer"])
        if change is None:
            self._head = _of_features(self.parts, head, optimizer)
        else:
            self._head = _of_changed_images(self.parts, change, self._backbone, head, optimizer)
        self._head.parts.optimizer.learning_rate = setting["lr"]
        whole.parts.optimizer.learning_rate = setting.get("fine_tune_lr") or setting["lr"]
        self._at_work = self._head

    def epoch(
        self, images: Images, places: np.ndarray, labels: np.ndarray, batch_size: int, seed: tuple[int, int]
    ) -> tuple[float, float]:
        """As ``Trainer.epoch``; the epoch's number, in ``seed``, says what is trained."""
        self._at_work = self._head if seed[1] <= self._head_epochs else self._whole
        return self._at_work.epoch(self._seen(images), places, labels, batch_size, seed)

    def predict(self, images: Images, places: np.ndarray) -> np.ndarray:
        """As ``Trainer.predict``."""
        return self._at_work.predict(self._seen(images), places)

    def state(self) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """As ``Trainer.state``, of what is trained; the last of the optimizer's arrays says whether that is all."""
        weights, optimizer = self._at_work.state()
        return weights, [*optimizer, np.array(self._at_work is self._whole)]

    def go_on(self, weights: list[np.ndarray], optimizer: list[np.ndarray]) -> None:
        """As ``Trainer.go_on``."""
        *variables, of_all = optimizer
        trainer = self._whole if of_all else self._head
        trainer.go_on(weights, variables)
        self._at_work = trainer

    def _seen(self, images: Images) -> Images:
        """What the trainer at work takes in the place of ``images``."""
        if self._at_work is self._whole or not self._once:
            return images
        if self._in_memory is None:
            self._in_memory = kept_features(
                self._job.features, len(images), lambda: _features(self.parts, self._backbone, images)
            )
        return self._in_memory


def parted(network: keras.Model) -> tuple[keras.Model, keras.layers.Layer]:
    """``network``, made by ``models.on_grey``, as its backbone, grey images -> features [n, d], and its output layer.

    Both share its variables.
    """
    inner, shown = network.layers[-1], network.layers[-2].output
    head = inner.layers[-1]
    features = keras.Model(inner.inputs[0], head.input)
    return keras.Model(network.inputs[0], features(shown)), head


class Still(keras.layers.Layer):
    """``network`` in inference mode, also where it is called in training; its variables are not this layer's."""

    def __init__(self, network: keras.Model) -> None:
        super().__init__(trainable=False)
        self._applied = functools.partial(network, training=False)  # a model would be tracked, and trained

    def call(self, images: Any) -> Any:
        return self._applied(images)


def _of_features(parts: Parts, head: keras.layers.Layer, optimizer: keras.optimizers.Optimizer) -> Trainer:
    """Trains ``head`` on what the backbone made of images, float32 [n, d]."""
    network = keras.Sequential([keras.Input(head.input.shape[1:], dtype="float32"), head])
    return _trainer(dataclasses.replace(parts, network=network, model=network, optimizer=optimizer))


def _of_changed_images(
    parts: Parts,
    change: keras.layers.Layer,
    backbone: keras.Model,
    head: keras.layers.Layer,
    optimizer: keras.optimizers.Optimizer,
) -> Trainer:
    """Trains ``head`` on what ``backbone`` makes of images, each changed by ``change`` in its own way."""
    grey = keras.Input(backbone.input_shape[1:], dtype="uint8")
    model = keras.Sequential([grey, change, Still(backbone), head])
    return _trainer(dataclasses.replace(parts, model=model, optimizer=optimizer))


def _features(parts: Parts, backbone: keras.Model, images: Images) -> np.ndarray:
    """What ``backbone`` makes of all ``images``, [n, d]; of all, so that the last bits depend on no split."""
    model = keras.Sequential([keras.Input(backbone.input_shape[1:], dtype="uint8"), backbone])
    parts = dataclasses.replace(parts, network=backbone, model=model)
    return Trainer(parts, steps(parts), []).predict(images, np.arange(len(images)))


def _trainer(parts: Parts) -> Trainer:
    parts.optimizer.build(parts.model.trainable_variables)
    return Trainer(parts, steps(parts), [])
