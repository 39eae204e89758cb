"""The one place that starts Keras: threads, silence, seeds, and what the environment was."""

import contextlib
import importlib.metadata
import os
import platform
import sys
import tempfile
from collections.abc import Iterator


def start(threads: int) -> None:
    """Imports Keras on its backend with ``threads`` threads; to be called once in a fresh process."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    with _native_stderr_held():
        import keras

        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            tf.get_logger().setLevel("ERROR")
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            # One more than the input pipeline needs: with 1 it and the training step wait for each other.
            tf.config.threading.set_inter_op_parallelism_threads(2)
            for gpu in tf.config.list_physical_devices("GPU"):
                tf.config.experimental.set_memory_growth(gpu, True)


def seed_everything(seed: int) -> None:
    """Seeds Python, NumPy and the backend, and forgets the layers of earlier runs in this process."""
    import keras

    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)


def compile_jit() -> bool | str:
    """Keras's jit_compile: XLA made the small network on TensorFlow's CPU backend half as fast (benchmarks)."""
    import keras

    if keras.backend.backend() != "tensorflow":
        return "auto"
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))


def environment() -> dict[str, str]:
    """Versions and machine of this process; no host name, no path."""
    import keras
    import numpy as np

    backend = keras.backend.backend()
    return {
        "python": platform.python_version(),
        "keras": keras.__version__,
        "backend": backend,
        backend: importlib.metadata.version(backend),
        "numpy": np.__version__,
        "platform": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
    }


def _processor() -> str:
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
