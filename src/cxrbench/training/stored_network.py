"""A stored network, loaded from its file."""

from pathlib import Path

import keras


def load_network(path: Path) -> keras.Model:
    """The uncompiled network in the .keras file ``path``; raises what Keras raises.

    In Keras's safe mode: the file can't bring code of its own, such as a Lambda layer, a pickled PyTorch module or a
    saved TensorFlow graph.
    """
    return keras.models.load_model(path, compile=False, safe_mode=True)
