"""Steps one after the other: PyTorch computes each as it is called."""

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import torch

if TYPE_CHECKING:
    from cxrbench.training.trainer import Parts


class BackendSteps:
    """See ``Steps``."""

    def __init__(self, parts: "Parts") -> None:
        self.parts = parts

    def train(self, images: np.ndarray, labels: np.ndarray, batch_size: int) -> tuple[Any, Any]:
        stack, targets = (keras.ops.convert_to_tensor(values) for values in (images, labels))
        sums = torch.zeros(2, device=stack.device)
        for first in range(0, len(images), batch_size):
            sums += self._one_step(stack[first : first + batch_size], targets[first : first + batch_size])
        return sums[0], sums[1]

    def predict(self, images: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            output: np.ndarray = keras.ops.convert_to_numpy(self.parts.network(images, training=False))
        return output

    def _one_step(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        parts, weights = self.parts, self.parts.model.trainable_variables
        parts.model.zero_grad()
        output = parts.model(images, training=True)
        loss = parts.loss_of(labels, output)
        loss.backward()
        with torch.no_grad():
            parts.optimizer.apply([weight.value.grad for weight in weights], weights)
            return torch.stack([loss * len(images), keras.ops.sum(parts.right(labels, output))])
