"""Several trained networks as one, the mean of what they say, in one model file.

Networks that differ in their seed alone err on different images (benchmarks/view_quality.py has the figures).
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cxrbench.base.processes import in_own_process

if TYPE_CHECKING:
    import keras


def write(trained: Sequence[Path], target: Path) -> None:
    """Writes to ``target`` the mean of the networks in the files ``trained``, of one form; of one alone, a copy.

    In a process of its own: the caller never imports Keras.
    """
    write_all([(trained, target)])


def write_all(means: Sequence[tuple[Sequence[Path], Path]]) -> None:
    """``write`` for each pair of ``means``; Keras is started once for all."""
    of_several = []
    for trained, target in means:
        if len(trained) == 1:
            shutil.copyfile(trained[0], target)
        else:
            of_several.append((list(trained), target))
    if of_several:
        in_own_process(_write_all, of_several)


def _write_all(means: Sequence[tuple[Sequence[Path], Path]]) -> None:
    from cxrbench.training import backend

    backend.start(1)
    import keras

    for trained, target in means:
        keras.utils.clear_session()
        mean_of(trained).save(target)


def mean_of(trained: Sequence[Path]) -> "keras.Model":
    """The mean of the networks in these files; its input and output are theirs."""
    from cxrbench.training.stored_network import load_network

    return mean_network([load_network(path) for path in trained])


def mean_network(networks: Sequence["keras.Model"]) -> "keras.Model":
    """The mean of ``networks``, of one form, as one."""
    import keras

    grey = keras.Input(networks[0].input_shape[1:], name="grey")
    said = []
    for number, network in enumerate(networks):
        network.name = f"seed_{number}_{network.name}"  # layers of one model have names of their own
        said.append(network(grey))
    return keras.Model(grey, keras.layers.Average(name="mean")(said), name="mean_of_seeds")
