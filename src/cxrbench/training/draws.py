"""The random numbers that an augmentation draws."""

from typing import Any

import keras
from keras import KerasTensor, ops


class Draws:
    """Random numbers, one an image."""

    def __init__(self, count: Any, generator: keras.random.SeedGenerator) -> None:
        self.count, self.generator = count, generator

    def between(self, low: float, high: float) -> KerasTensor:
        """[n], uniform."""
        return keras.random.uniform((self.count,), low, high, seed=self.generator)

    def levels(self, low: float, high: float) -> KerasTensor:
        """[n, 1, 1, 1], uniform."""
        return self.between(low, high)[:, None, None, None]

    def happens(self, share: float) -> KerasTensor:
        """[n, 1, 1, 1] of 0 and 1."""
        return ops.cast(self.levels(0, 1) < share, "float32")
