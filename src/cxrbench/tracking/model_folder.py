"""The MLflow model folder of a trained network: as pyfunc it takes image files, and mlflow.keras reads the network.

mlflow.keras.save_model takes a loaded model: it would start Keras and TensorFlow in the parent process to read the
stored file and write it again. MLflow's pyfunc.save_model writes the same folder, and the file is put into it.
The pyfunc is cxrbench's own (prediction/served.py), which whoever loads it must have installed; the Keras flavour
needs no cxrbench.
"""

import importlib.metadata
import io
import os
import shutil
from pathlib import Path

from cxrbench.base.tables import TABLES
from cxrbench.evaluation.usage import as_json
from cxrbench.tracking.logged import Network

LOADER = "cxrbench.prediction.served"
KINDS = {"str": "string", "float64": "double"}  # of a table's column -> MLflow's
ALWAYS = ("finding", "threshold", "abstain_from", "abstain_below")  # columns that have a value in each row
EXAMPLE_PX = 32


def write_model_folder(target: Path, network: Network, run_id: str, model_id: str) -> None:
    """Writes the new folder ``target``, which mlflow.pyfunc.load_model and mlflow.keras.load_model read.

    As pyfunc it takes the column ``image``, the bytes of image files, and gives the columns of the table 'predictions'
    but the path. As Keras model it takes uint8 (n, size, size, 1), 0 black to 255 white, and gives the scores that the
    run's loss is taken of. Only how the network is used is told, and the versions of Keras and its backend.
    """
    import mlflow
    import pandas as pd
    from mlflow.models import Model, ModelSignature
    from mlflow.types import ColSpec, Schema

    versions = network.environment
    backend = versions["backend"]
    model = Model(run_id=run_id, model_uuid=model_id, model_id=model_id)
    model.add_flavor(
        "keras", data="data", keras_version=versions["keras"], keras_backend=backend, save_exported_model=False
    )
    answer = [
        ColSpec(KINDS[kind], name, required=name in ALWAYS)
        for name, kind in TABLES["predictions"].items()
        if name != "path"
    ]
    needs = {name: versions[name] for name in ("keras", backend)} | {"cxrbench": importlib.metadata.version("cxrbench")}
    mlflow.pyfunc.save_model(
        str(target),
        loader_module=LOADER,
        mlflow_model=model,
        signature=ModelSignature(Schema([ColSpec("binary", "image")]), Schema([*answer])),
        input_example=pd.DataFrame({"image": [_noise()]}),
        pip_requirements=[f"{name}=={version}" for name, version in needs.items()],
    )
    data = target / "data"
    data.mkdir()
    _put(network.file, data / "model.keras")
    (data / "usage.json").write_text(as_json(network.usage), encoding="utf-8")
    if network.view:
        _put(network.view, data / "view.keras")
        _put(network.view.with_suffix(".json"), data / "view.json")


def _noise() -> bytes:
    """A PNG file of noise, never a patient's image."""
    import numpy as np
    from PIL import Image

    file = io.BytesIO()
    grey = np.random.default_rng(0).integers(0, 256, (EXAMPLE_PX, EXAMPLE_PX), dtype="uint8")
    Image.fromarray(grey).save(file, "PNG")
    return file.getvalue()


def _put(file: Path, target: Path) -> None:
    """``file`` as ``target``: one more name of the same bytes where a disk can hold it so, a copy elsewhere."""
    try:
        os.link(file, target)
    except OSError:  # another disk, or one without hard links
        shutil.copyfile(file, target)
