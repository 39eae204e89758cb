"""Optimizers by name: Keras's with their defaults, or a module that is found by its name (``base.plugins``):

build() -> keras.optimizers.Optimizer    cxrbench sets its learning rate to that of the setting
"""

import keras

from cxrbench.base import plugins
from cxrbench.config.optimizers import OPTIMIZERS


def build(name: str) -> keras.optimizers.Optimizer:
    """The optimizer ``name``, not built on any variables yet."""
    found = keras.optimizers.get(name) if name in OPTIMIZERS else plugins.load("optimizer", name).build()
    if not isinstance(found, keras.optimizers.Optimizer):
        raise TypeError(f"optimizer {name} is {found!r}; its build() must give a keras.optimizers.Optimizer")
    return found
