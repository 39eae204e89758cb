"""What a model is asked for: the form of its input and of its output."""

import dataclasses

import keras


@dataclasses.dataclass(frozen=True)
class Form:
    """The size of the images that a model takes, and the output layer that the loss wants."""

    name: str  # of the model
    image_size_px: int
    units: int
    activation: str
    imagenet: bool = False  # whether it starts from ImageNet's weights, where its module says that there are any
    padding_px: int | None = None  # around a convolution's input; of the models that have it

    def output(self) -> keras.layers.Layer:
        """The last layer: float32 [n, units], also where the layers before compute in bfloat16."""
        return keras.layers.Dense(self.units, activation=self.activation, dtype="float32")
