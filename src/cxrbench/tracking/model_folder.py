"""The MLflow model folder of a trained network, as mlflow.keras reads it.

mlflow.keras.save_model takes a loaded model: it would start Keras and TensorFlow in the parent process to read the
stored file and write it again. MLflow's pyfunc.save_model writes the same folder, and the file is put into it.
"""

import os
import shutil
from pathlib import Path

from cxrbench.config.loss_forms import form_of
from cxrbench.tracking.logged import Network


def write_model_folder(target: Path, network: Network, run_id: str, model_id: str) -> None:
    """Writes the new folder ``target``, which mlflow.keras.load_model and mlflow.pyfunc.load_model read.

    The model takes uint8 (n, size, size, 1), 0 black to 255 white, and gives the scores that the run's loss is taken
    of. Only these two numbers of the setting and the versions of Keras and its backend are told.
    """
    import mlflow
    import numpy as np
    from mlflow.models import Model, ModelSignature
    from mlflow.types import Schema, TensorSpec

    setting, versions = network.setting, network.environment
    size_px, backend = setting["image_size"], versions["backend"]
    inputs = TensorSpec(np.dtype("uint8"), (-1, size_px, size_px, 1))
    outputs = TensorSpec(np.dtype("float32"), (-1, form_of(setting["loss"]).units))
    model = Model(run_id=run_id, model_uuid=model_id, model_id=model_id)
    model.add_flavor(
        "keras", data="data", keras_version=versions["keras"], keras_backend=backend, save_exported_model=False
    )
    mlflow.pyfunc.save_model(
        str(target),
        loader_module="mlflow.keras",
        mlflow_model=model,
        signature=ModelSignature(Schema([inputs]), Schema([outputs])),
        # noise, never a patient's image
        input_example=np.random.default_rng(0).integers(0, 256, (1, size_px, size_px, 1), dtype="uint8"),
        pip_requirements=[f"{name}=={versions[name]}" for name in ("keras", backend)],
    )
    (target / "data").mkdir()
    _put(network.file, target / "data" / "model.keras")


def _put(file: Path, target: Path) -> None:
    """``file`` as ``target``: one more name of the same bytes where a disk can hold it so, a copy elsewhere."""
    try:
        os.link(file, target)
    except OSError:  # another disk, or one without hard links
        shutil.copyfile(file, target)
