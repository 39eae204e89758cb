"""A trained view network in a process of its own.

The caller never imports Keras, TensorFlow starts while the first files are decoded, and where native code fails the
caller is told so in a sentence. The process ends when its pipe does, also where the caller is killed.
"""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing import connection, get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from cxrbench.base.errors import CxrbenchError
from cxrbench.config.loss_forms import form_of
from cxrbench.views.stored import ViewModel

if TYPE_CHECKING:
    import keras


@contextmanager
def started(model: ViewModel, threads: int) -> Iterator[Callable[[np.ndarray], np.ndarray]]:
    """Yields at once ``score(images)``: P(frontal), float64 [n], of grey squares uint8 [n, h, w, 1].

    It waits until the network has started, and raises CxrbenchError where the model cannot be used or its process
    ends. One call at a time.
    """
    context = get_context("spawn")  # a forked copy of a process that has threads may hang
    pipe, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, model, threads), daemon=True)
    process.start()
    theirs.close()  # so that its death is the pipe's end
    try:
        yield partial(_ask, pipe, process, model.path)
    finally:
        process.kill()
        process.join()


def _ask(pipe: connection.Connection, process: BaseProcess, path: Path, images: np.ndarray) -> np.ndarray:
    if not len(images):
        return np.empty(0)
    try:
        pipe.send(images)
        answer = pipe.recv()
    except (EOFError, OSError):
        process.join()
        raise CxrbenchError(
            f"the process of the view network {path} ended with exit code {process.exitcode}; see the lines above, free"
            " memory or lower the number of workers, and run again"
        ) from None
    if isinstance(answer, CxrbenchError):
        raise answer
    return answer


def _serve(pipe: connection.Connection, model: ViewModel, threads: int) -> None:
    """The process: answers batch after batch until the pipe ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    from cxrbench.training import backend

    backend.start(threads)
    with suppress(EOFError, OSError):  # the parent has gone
        try:
            network = _load(model)
        except CxrbenchError as error:
            pipe.recv()
            pipe.send(error)
            return
        while True:
            pipe.send(_predict(network, model.loss, pipe.recv()))


def _load(model: ViewModel) -> "keras.Model":
    """The network in ``model.path``; CxrbenchError where Keras cannot load it or it is of another form."""
    import keras

    from cxrbench.training.stored_network import load_network

    with TemporaryDirectory() as folder:
        named = Path(folder) / "model.keras"  # Keras takes no other ending; the user's file may have any name
        named.symlink_to(model.path.absolute())
        try:
            network = load_network(named)
        except Exception as error:  # Keras raises nearly anything on a file that another version wrote
            said = " ".join(str(error).replace(str(named), str(model.path)).split())[:300]
            raise CxrbenchError(
                f"{model.path} cannot be loaded by Keras {keras.__version__} ({said}); run 'dvc repro -f view-filter'"
            ) from None
    size, units = model.image_size, form_of(model.loss).units
    wanted = ((None, size, size, 1), (None, units))
    if (found := (network.input_shape, network.output_shape)) != wanted:
        raise CxrbenchError(
            f"{model.path} maps {found[0]} to {found[1]}, but its description asks for {wanted[0]} to {wanted[1]};"
            " run 'dvc repro -f view-filter'"
        )
    return network


def _predict(network: "keras.Model", loss: str, images: np.ndarray) -> np.ndarray:
    from cxrbench.training.losses import probability_of_target

    # Not predict(): its data pipeline costs more than the network does.
    return probability_of_target(loss, network.predict_on_batch(images))
