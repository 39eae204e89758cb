"""The loss functions that a setting may name, and what each asks of the output layer and of the labels.

The cross-entropies that Seo and Cho (2021) compare, and what a reader would ask for next: the focal forms
(Lin et al. 2017, gamma 2, no class weights) and label smoothing by 0.1 (Szegedy et al. 2016). No Keras here:
whoever reads a stored model's output needs this table, and Keras costs seconds to import.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class LossForm:
    """A loss of Keras with its arguments, the output layer it needs and the form of its labels."""

    keras_name: str
    arguments: tuple[tuple[str, float], ...]
    units: int
    activation: str
    labels: str  # binary: [n, 1] of 0/1; one_hot: [n, 2]; index: [n] of 0/1


LOSS_FORMS = {
    "binary_crossentropy": LossForm("BinaryCrossentropy", (), 1, "sigmoid", "binary"),
    "categorical_crossentropy": LossForm("CategoricalCrossentropy", (), 2, "softmax", "one_hot"),
    "sparse_categorical_crossentropy": LossForm("SparseCategoricalCrossentropy", (), 2, "softmax", "index"),
    "binary_focal_crossentropy": LossForm("BinaryFocalCrossentropy", (("gamma", 2.0),), 1, "sigmoid", "binary"),
    "categorical_focal_crossentropy": LossForm(
        "CategoricalFocalCrossentropy", (("alpha", 1.0), ("gamma", 2.0)), 2, "softmax", "one_hot"
    ),
    "label_smoothed_crossentropy": LossForm("BinaryCrossentropy", (("label_smoothing", 0.1),), 1, "sigmoid", "binary"),
}
