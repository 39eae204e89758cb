"""The loss functions that a setting may name, and what each asks of the output layer and of the labels.

The cross-entropies that Seo and Cho (2021) compare, and what a reader would ask for next: the focal forms
(Lin et al. 2017, gamma 2, no class weights) and label smoothing by 0.1 (Szegedy et al. 2016). These are Keras's, with
arguments; any other one is a module that is found by its name (``base.plugins``). No Keras here: whoever reads a stored
model's output needs this table, and Keras costs seconds to import.
"""

import dataclasses

from cxrbench.base import plugins
from cxrbench.base.errors import CxrbenchError

OUTPUTS = {"binary": (1, "sigmoid"), "one_hot": (2, "softmax"), "index": (2, "softmax")}  # labels -> units, activation


@dataclasses.dataclass(frozen=True)
class LossForm:
    """A loss, the output layer that it needs and the form of its labels."""

    labels: str  # binary: [n, 1] of 0/1; one_hot: [n, 2]; index: [n] of 0/1
    keras_name: str = ""  # of a loss of Keras; empty of one with a module of its own
    arguments: tuple[tuple[str, float], ...] = ()

    @property
    def units(self) -> int:
        """How many numbers the output layer gives an image."""
        return OUTPUTS[self.labels][0]

    @property
    def activation(self) -> str:
        """Of the output layer, so that its last number is P(target = 1)."""
        return OUTPUTS[self.labels][1]


LOSS_FORMS = {
    "binary_crossentropy": LossForm("binary", "BinaryCrossentropy"),
    "categorical_crossentropy": LossForm("one_hot", "CategoricalCrossentropy"),
    "sparse_categorical_crossentropy": LossForm("index", "SparseCategoricalCrossentropy"),
    "binary_focal_crossentropy": LossForm("binary", "BinaryFocalCrossentropy", (("gamma", 2.0),)),
    "categorical_focal_crossentropy": LossForm(
        "one_hot", "CategoricalFocalCrossentropy", (("alpha", 1.0), ("gamma", 2.0))
    ),
    "label_smoothed_crossentropy": LossForm("binary", "BinaryCrossentropy", (("label_smoothing", 0.1),)),
}


def form_of(name: str) -> LossForm:
    """The form of the loss ``name``; raises CxrbenchError where its module is not there or has no LABELS."""
    if name in LOSS_FORMS:
        return LOSS_FORMS[name]
    labels = plugins.constant("loss", name, "LABELS")
    if not isinstance(labels, str) or labels not in OUTPUTS:
        module = plugins.module_of("loss", name)
        raise CxrbenchError(f"loss {name} has LABELS = {labels!r}; write one of {', '.join(OUTPUTS)} in {module}")
    return LossForm(labels)
