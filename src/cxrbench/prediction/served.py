"""A registered model as MLflow loads it: the bytes of image files in, the columns of the table 'predictions' out.

``mlflow models serve`` takes them in base64, so that no pixels travel in JSON. Keras runs in the process that loads the
model; nothing of a request is printed, logged or stored.
"""

import base64
import dataclasses
import os
import sys
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from cxrbench.base.machine import cores
from cxrbench.base.tables import TABLES
from cxrbench.images.limits import Undecodable
from cxrbench.prediction.decoder import Decoders
from cxrbench.prediction.judge import judge
from cxrbench.prediction.look import Look, shapes_of
from cxrbench.prediction.model import Model, from_folder
from cxrbench.views import network

if TYPE_CHECKING:
    import pandas as pd

NO_VIEW_CHECK = "CXRBENCH_NO_VIEW_CHECK"  # set: every image is taken for a frontal one
MAX_IMAGES = 100  # in a request: a hundred radiographs of 3,000 px take some seconds
ANSWER = [name for name in TABLES["predictions"] if name != "path"]


class Served:
    """What MLflow asks for predictions; may be asked by several threads at once."""

    def __init__(self, model: Model, workers: int) -> None:
        self._model = model
        self._networks = [network.load(one) for one in model.networks]
        self._decoders = Decoders(shapes_of(model), workers)
        self._one_call_at_a_time = Lock()

    def predict(self, model_input: "pd.DataFrame", params: dict[str, Any] | None = None) -> "pd.DataFrame":
        """A row an image of the column ``image``, the bytes of its file; None where there is no value.

        An image that cannot be used has its row too, with the reason, as have those beyond MAX_IMAGES.
        """
        import pandas as pd

        images = [bytes_of(value) for value in model_input["image"]]
        looks: list[Look | Undecodable] = list(self._decoders.looks(images[:MAX_IMAGES]))
        beyond = Undecodable("", "too many images", f"{len(images)} in one request; at most {MAX_IMAGES}")
        looks += [beyond] * (len(images) - len(looks))
        rows = [one.row() for one in judge([("", look) for look in looks], self._model, self._score)]
        return pd.DataFrame({name: pd.Series([row[name] for row in rows], dtype=object) for name in ANSWER})

    def _score(self, images: np.ndarray, of: int = 0) -> np.ndarray:
        if not len(images):
            return np.empty(0)
        with self._one_call_at_a_time:
            return network.probabilities(self._networks[of], self._model.networks[of].loss, images)


def bytes_of(value: object) -> bytes:
    """The bytes of an image file from a cell of the column ``image``.

    MLflow decodes base64 in 'dataframe_records' and 'dataframe_split' alone; of 'inputs' it hands on the text. What is
    no base64 stays as it is, and no image is found in it.
    """
    data = value.encode() if isinstance(value, str) else bytes(value) if isinstance(value, (bytes, bytearray)) else b""
    if not data.isascii():
        return data
    try:
        return base64.b64decode(b"".join(data.split()), validate=True)
    except ValueError:
        return data


def model_in(folder: Path) -> Model:
    """The model in MLflow's ``folder``, without its view network where NO_VIEW_CHECK is set."""
    model = from_folder(folder / "data")
    return dataclasses.replace(model, view=None) if os.environ.get(NO_VIEW_CHECK) else model


def _load_pyfunc(path: str) -> Served:
    """The model in MLflow's folder ``path``; CxrbenchError where it cannot be used."""
    model = model_in(Path(path))
    if "keras" not in sys.modules:  # else its caller has settled how Keras runs
        from cxrbench.training import backend

        backend.start(cores())
    if model.view is None:
        why = f"{NO_VIEW_CHECK} is set" if os.environ.get(NO_VIEW_CHECK) else "this model holds no view network"
        print(f"{why}: whether an image is frontal is not checked", file=sys.stderr)
    return Served(model, cores())
