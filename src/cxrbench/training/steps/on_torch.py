"""Steps one after the other: PyTorch computes each as it is called, and on a GPU replays it as it was recorded.

A step that needs the CPU in its middle can't be recorded and is called as it is: one that draws random numbers
(augmentation, dropout), whose seeds Keras draws there, and one of an optimizer that reads its learning rate there.
"""

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import torch

from cxrbench.training.steps.cuda_graph import RecordedStep

if TYPE_CHECKING:
    from cxrbench.training.trainer import Parts

RECORDABLE = (keras.optimizers.Adam, keras.optimizers.RMSprop)  # their steps stay on the GPU; that of SGD does not


class BackendSteps:
    """See ``Steps``."""

    def __init__(self, parts: "Parts") -> None:
        self.parts = parts
        draws = any(variable.path.endswith("seed_generator_state") for variable in parts.model.variables)
        stays = isinstance(parts.optimizer, RECORDABLE) and not draws
        self._records = torch.cuda.is_available() and stays
        self._recorded: dict[torch.Size, RecordedStep] = {}  # by the shape of a batch

    def train(self, images: np.ndarray, labels: np.ndarray, batch_size: int) -> tuple[Any, Any]:
        stack, targets = (keras.ops.convert_to_tensor(values) for values in (images, labels))
        sums = torch.zeros(2, device=stack.device)
        for first in range(0, len(images), batch_size):
            batch = stack[first : first + batch_size], targets[first : first + batch_size]
            step = self._recording(*batch) if self._records and len(batch[0]) == batch_size else self._one_step
            sums += step(*batch)
        return sums[0], sums[1]

    def predict(self, images: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            output: np.ndarray = keras.ops.convert_to_numpy(self.parts.network(images, training=False))
        return output

    def _recording(self, images: torch.Tensor, labels: torch.Tensor) -> RecordedStep:
        if images.shape not in self._recorded:
            variables = [*self.parts.model.variables, *self.parts.optimizer.variables]
            changed = [variable.value for variable in variables]
            self._recorded[images.shape] = RecordedStep(self._one_step, images, labels, changed)
        return self._recorded[images.shape]

    def _one_step(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        parts, weights = self.parts, self.parts.model.trainable_variables
        output = parts.model(images, training=True)
        loss = parts.loss_of(labels, output)
        gradients = torch.autograd.grad(loss, [weight.value for weight in weights])
        with torch.no_grad():
            parts.optimizer.apply(gradients, weights)
            return torch.stack([loss * len(images), keras.ops.sum(parts.right(labels, output))])
