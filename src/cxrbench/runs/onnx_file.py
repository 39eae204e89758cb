"""Several trained networks as one ONNX file: the mean of what they say, which any ONNX runtime gives without Keras.

The file is compared with the networks before it is left: both score the same made-up images. It is written by Keras's
own export on TensorFlow, whatever backend trained them, and computes in float32: no runtime for processors convolves
in bfloat16, and the weights of mixed_bfloat16 are float32 anyway.
"""

import dataclasses
import importlib.util
import logging
import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.files import replaced_when_whole
from cxrbench.base.processes import in_own_process

if TYPE_CHECKING:
    import keras

PACKAGES = ("tf2onnx", "onnx", "onnxruntime")  # of the extra 'onnx'
TOLERANCE = 1e-4  # the largest difference of two scores of one image
INPUT, OUTPUT = "image", "score"  # names in the file
IMAGES = 32  # that both score
NOTICE = "Not a medical device. A research network: nothing that it says is fit for a decision about a patient."


@dataclasses.dataclass(frozen=True)
class Agreement:
    """How far the file's scores are from the networks' own, at most over the images that both scored."""

    difference: float  # from the networks in float32; at most TOLERANCE
    precision_difference: float  # from the networks as they were trained, which may compute in bfloat16
    least: float  # of the scores
    most: float


def need_packages() -> None:
    """Raises CxrbenchError where a package of the extra is missing."""
    if missing := [name for name in PACKAGES if importlib.util.find_spec(name) is None]:
        raise CxrbenchError(f"an ONNX file needs {', '.join(missing)}; install them with: pip install 'cxrbench[onnx]'")


def write(trained: Sequence[Path], target: Path, metadata: Mapping[str, str]) -> Agreement:
    """Writes the mean of the networks in the files ``trained`` to ``target``, whole or not at all.

    It takes ``image``, uint8 [n, size, size, 1], and gives ``score``, P(positive), float32 [n]. In a process of its
    own: the caller never imports Keras. Raises CxrbenchError where a score differs by more than TOLERANCE.
    """
    need_packages()
    return in_own_process(_start_and_write, list(trained), target, dict(metadata))


def _start_and_write(trained: Sequence[Path], target: Path, metadata: Mapping[str, str]) -> Agreement:
    from cxrbench.training import backend

    os.environ["KERAS_BACKEND"] = "tensorflow"
    backend.start(1)
    from cxrbench.runs.average import mean_of

    return convert(mean_of(trained), target, metadata)


def convert(network: "keras.Model", target: Path, metadata: Mapping[str, str]) -> Agreement:
    """``write`` of one network that is loaded, in a process where Keras was started on TensorFlow."""
    scoring = _scoring(_in_float32(network))
    images = made_up_images(scoring.input_shape[1])
    own = np.asarray(scoring.predict_on_batch(images), "float64")
    as_trained = np.asarray(network.predict_on_batch(images), "float64")[:, -1]
    with replaced_when_whole(target) as temporary:
        try:
            _export(scoring, temporary, metadata)
        except CxrbenchError:
            raise
        except Exception as error:  # the converter and the checker raise nearly anything
            said = " ".join(str(error).split())[:300]
            raise CxrbenchError(f"the networks can't be written as ONNX ({type(error).__name__}: {said})") from None
        theirs = scores_of(temporary, images)
        found = Agreement(_most(theirs - own), _most(theirs - as_trained), float(own.min()), float(own.max()))
        if not found.difference <= TOLERANCE:
            raise CxrbenchError(
                f"{target} is not written: its scores would differ from the networks' own by up to"
                f" {found.difference:.2g}, more than {TOLERANCE:g}"
            )
    return found


def scores_of(file: Path, images: np.ndarray) -> np.ndarray:
    """What the ONNX file says of ``images``, uint8 [n, size, size, 1]: float64 [n]."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    (score,) = session.run([OUTPUT], {INPUT: images})
    return np.asarray(score, "float64")


def made_up_images(size_px: int) -> np.ndarray:
    """uint8 [IMAGES, size, size, 1]: noise of fine and of coarse grain, of any brightness; black and white."""
    rng = np.random.default_rng(0)
    images: list[np.ndarray] = []
    for i in range(IMAGES - 2):
        grain = max(1, size_px // (2, 4, 8, 64)[i % 4])
        low, high = sorted(rng.integers(0, 256, 2))
        coarse = rng.integers(low, high + 1, (size_px // grain + 1, size_px // grain + 1))
        images.append(np.kron(coarse, np.ones((grain, grain), int))[:size_px, :size_px])
    images += [np.zeros((size_px, size_px)), np.full((size_px, size_px), 255)]
    return np.stack(images).astype("uint8")[..., None]


def _most(differences: np.ndarray) -> float:
    """The largest in size; infinite where one is not a number."""
    return float(np.abs(differences).max()) if np.isfinite(differences).all() else float("inf")


def _in_float32(network: "keras.Model") -> "keras.Model":
    """``network`` with the same weights, each layer of which computes in float32."""
    import keras

    text = network.to_json()
    if "bfloat16" not in text:
        return network
    exact = keras.models.model_from_json(text.replace('"mixed_bfloat16"', '"float32"'))
    exact.set_weights(network.get_weights())
    return exact


def _scoring(network: "keras.Model") -> "keras.Model":
    """uint8 [n, size, size, 1] -> float32 [n], the last number of the output: P(positive), for any form of loss."""
    import keras

    image = keras.Input(network.input_shape[1:], dtype="uint8", name=INPUT)
    output = network(keras.ops.cast(image, "float32"))
    return keras.Model(image, output[:, -1], name="cxrbench")


def _export(scoring: "keras.Model", file: Path, metadata: Mapping[str, str]) -> None:
    import onnx

    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(action="ignore"):
        scoring.export(file, format="onnx", verbose=False)
    model = onnx.load(file)
    _name_ends(model.graph)
    model.producer_name, model.doc_string = "cxrbench", NOTICE
    model.graph.name = "cxrbench"
    onnx.helper.set_model_props(model, dict(metadata))
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, file)


def _name_ends(graph: Any) -> None:
    """Names the one input, the one output and the number of images of both."""
    (given,), (said,) = graph.input, graph.output
    new = {given.name: INPUT, said.name: OUTPUT}
    for node in graph.node:
        for names in (node.input, node.output):
            names[:] = [new.get(name, name) for name in names]
    for end in (given, said):
        end.name = new[end.name]
        end.type.tensor_type.shape.dim[0].dim_param = "n"
