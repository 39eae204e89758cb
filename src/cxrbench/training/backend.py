"""The one place that starts Keras in a worker process and settles what a user's own Keras settings would decide.

Importing this module loads no Keras, so the parent may ask here which backend and which versions a run will use.
"""

import contextlib
import importlib.metadata
import os
import platform
import sys
import tempfile
from collections.abc import Iterator

from cxrbench.base.errors import CxrbenchError

BACKENDS = {"tensorflow": ("tensorflow",), "jax": ("jax", "jaxlib"), "torch": ("torch",)}  # and their packages
FLOATX, EPSILON, DATA_FORMAT = "float32", 1e-7, "channels_last"


def start(threads: int) -> None:
    """Imports Keras on its backend with ``threads`` threads; to be called once in a fresh process.

    Neither ``keras.json`` nor Keras's environment variables decide a run but for KERAS_BACKEND, which
    ``backend_name`` reads and the fingerprint covers. Raises CxrbenchError where that backend can't be used.
    """
    name = backend_name()
    os.environ["KERAS_BACKEND"] = name
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # several workers share a GPU's memory
    os.environ["NPROC"] = str(threads)  # XLA's threads on a CPU
    with _native_stderr_held():
        import keras

        keras.config.set_floatx(FLOATX)
        keras.config.set_dtype_policy(FLOATX)
        keras.config.set_epsilon(EPSILON)
        keras.config.set_image_data_format(DATA_FORMAT)
        keras.config.set_max_epochs(None)
        keras.config.set_max_steps_per_epoch(None)
        if name == "torch":
            import torch

            torch.set_num_threads(threads)
        if name == "tensorflow":
            import tensorflow as tf

            tf.get_logger().setLevel("ERROR")
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            # One more than the input pipeline needs: with 1 it and the training step wait for each other.
            tf.config.threading.set_inter_op_parallelism_threads(2)
            for gpu in tf.config.list_physical_devices("GPU"):
                tf.config.experimental.set_memory_growth(gpu, True)


def choose(name: str) -> None:
    """Makes ``name`` the backend of this process and of those that it starts; says so where the environment differs.

    params.yaml names it, so that DVC sees when it changes; ``dvc exp run`` takes it there from KERAS_BACKEND.
    """
    asked = os.environ.get("KERAS_BACKEND")
    if asked and asked != name:
        print(
            f"params.yaml says backend: {name}, and KERAS_BACKEND is {asked}: {name} is used; 'dvc exp run' writes"
            " KERAS_BACKEND into params.yaml, or say -S backend=NAME",
            file=sys.stderr,
        )
    os.environ["KERAS_BACKEND"] = name


def backend_name() -> str:
    """The backend that KERAS_BACKEND names, else TensorFlow; CxrbenchError where Keras has no such backend."""
    name = os.environ.get("KERAS_BACKEND") or "tensorflow"
    if name not in BACKENDS:
        raise CxrbenchError(f"KERAS_BACKEND is {name!r}; it must be one of {', '.join(BACKENDS)}")
    return name


def versions() -> dict[str, str]:
    """The versions of the packages that compute: Keras, its backend, NumPy; CxrbenchError where one is missing."""
    result = {}
    for package in ("keras", *BACKENDS[backend_name()], "numpy"):
        try:
            result[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            name = backend_name()
            raise CxrbenchError(
                f"the Keras backend is {name}, but {package} is not installed; install it or unset KERAS_BACKEND"
            ) from None
    return result


def environment() -> dict[str, str | bool]:
    """Versions and machine of this process, after ``start``; no host name, no path."""
    return {
        "python": platform.python_version(),
        "backend": backend_name(),
        **versions(),
        "platform": f"{platform.system()} {platform.machine()}",
        "processor": processor(),
        "device": device(),
        "deterministic": device() == "cpu",  # kernels of accelerators may add in another order each time
    }


def device() -> str:
    """What the backend of this process computes on: 'cpu' or the name of the accelerator."""
    name = backend_name()
    if name == "jax":
        import jax

        return str(jax.devices()[0].device_kind)
    if name == "torch":
        import torch

        return str(torch.cuda.get_device_name()) if torch.cuda.is_available() else "cpu"
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    return str(tf.config.experimental.get_device_details(gpus[0]).get("device_name", "gpu")) if gpus else "cpu"


def machine() -> str:
    """What a time depends on: the processor's name and the number of cores; no host name."""
    return f"{processor()}, {os.cpu_count()} cores"


def processor() -> str:
    """The processor's name as the system gives it."""
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


@contextlib.contextmanager
def _native_stderr_held() -> Iterator[None]:
    """Holds back what native code prints while the backend loads; shows it all where loading fails."""
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            yield
        except BaseException:
            file.seek(0)
            os.write(kept, file.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)
