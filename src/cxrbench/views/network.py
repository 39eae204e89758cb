"""Trained networks in a process of their own.

The caller never imports Keras, TensorFlow starts while the first files are decoded, and where native code fails the
caller is told so in a sentence. The process ends when its pipe does, also where the caller is killed.
"""

import dataclasses
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing import connection, get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Protocol

import numpy as np

from cxrbench.base.errors import CxrbenchError
from cxrbench.config.loss_forms import form_of

if TYPE_CHECKING:
    import keras


@dataclasses.dataclass(frozen=True)
class Network:
    """A network of grey squares in a file; of several files, which differ in their seeds, the mean of what they say."""

    files: tuple[Path, ...]
    loss: str  # its form says which output is P(target = 1)
    image_size: int  # pixels, square
    advice: str  # what to do where a file cannot be used


class Score(Protocol):
    def __call__(self, images: np.ndarray, of: int = 0) -> np.ndarray:
        """P(target = 1) by the network number ``of``, float64 [n], of grey squares uint8 [n, h, w, 1]."""


@contextmanager
def started(networks: Sequence[Network], threads: int) -> Iterator[Score]:
    """Yields at once the function that asks ``networks``, which share one process.

    It waits until they have started, and raises CxrbenchError where one cannot be used or their process ends. One call
    at a time.
    """
    context = get_context("spawn")  # a forked copy of a process that has threads may hang
    pipe, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, list(networks), threads), daemon=True)
    process.start()
    theirs.close()  # so that its death is the pipe's end
    try:
        yield partial(_ask, pipe, process, ", ".join(str(one.files[0]) for one in networks))
    finally:
        process.kill()
        process.join()


def _ask(pipe: connection.Connection, process: BaseProcess, names: str, images: np.ndarray, of: int = 0) -> np.ndarray:
    if not len(images):
        return np.empty(0)
    try:
        pipe.send((of, images))
        answer = pipe.recv()
    except (EOFError, OSError):
        process.join()
        raise CxrbenchError(
            f"the process of the network {names} ended with exit code {process.exitcode}; see the lines above, free"
            " memory or lower the number of workers, and run again"
        ) from None
    if isinstance(answer, CxrbenchError):
        raise answer
    return answer


def _serve(pipe: connection.Connection, networks: Sequence[Network], threads: int) -> None:
    """The process: answers batch after batch until the pipe ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    from cxrbench.training import backend

    backend.start(threads)
    with suppress(EOFError, OSError):  # the parent has gone
        try:
            loaded = [load(network) for network in networks]
        except CxrbenchError as error:
            pipe.recv()
            pipe.send(error)
            return
        while True:
            of, images = pipe.recv()
            pipe.send(probabilities(loaded[of], networks[of].loss, images))


def load(network: Network) -> "keras.Model":
    """The network in its files, for a process that has started Keras.

    CxrbenchError where Keras cannot load it or it is of another form.
    """
    import keras

    from cxrbench.runs import average
    from cxrbench.training.stored_network import load_network

    with TemporaryDirectory() as folder:
        # Keras takes no other ending; a user's file may have any name.
        named = {Path(folder) / f"{number}.keras": file for number, file in enumerate(network.files)}
        for name, file in named.items():
            name.symlink_to(file.absolute())
        try:
            loaded = [load_network(name) for name in named]
            whole = loaded[0] if len(loaded) == 1 else average.mean_network(loaded)
        except Exception as error:  # Keras raises nearly anything on a file that another version wrote
            said = str(error)
            for name, file in named.items():
                said = said.replace(str(name), str(file))
            raise CxrbenchError(
                f"{network.files[0]} cannot be loaded by Keras {keras.__version__} ({' '.join(said.split())[:300]});"
                f" {network.advice}"
            ) from None
    size, units = network.image_size, form_of(network.loss).units
    wanted = ((None, size, size, 1), (None, units))
    if (found := (whole.input_shape, whole.output_shape)) != wanted:
        raise CxrbenchError(
            f"{network.files[0]} maps {found[0]} to {found[1]}, but its description asks for {wanted[0]} to"
            f" {wanted[1]}; {network.advice}"
        )
    return whole


def probabilities(loaded: "keras.Model", loss: str, images: np.ndarray) -> np.ndarray:
    """P(target = 1), float64 [n], of grey squares uint8 [n, h, w, 1]."""
    from cxrbench.training.losses import probability_of_target

    # Not predict(): its data pipeline costs more than the network does.
    return probability_of_target(loss, loaded.predict_on_batch(images))
