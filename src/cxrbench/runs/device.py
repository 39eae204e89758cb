"""What the backend computes on, asked without loading it: 'cpu', or the name of an accelerator."""

import functools
import glob
import os
import platform
import subprocess
import sys

from cxrbench.base.errors import CxrbenchError
from cxrbench.training import backend

# Device files of NVIDIA, of a GPU under Windows' Linux, of AMD, and of a TPU by either driver.
DEVICE_FILES = ("/dev/nvidia[0-9]*", "/dev/dxg", "/dev/kfd", "/dev/accel*", "/dev/vfio/[0-9]*")
INTEL = "/dev/dri/renderD*"  # of any GPU that draws; PyTorch alone computes on Intel's
ASK = "from cxrbench.training import backend; backend.start(1); print(backend.device())"
PATIENCE_S = 300  # the first import from a cold disk can take a minute


def device() -> str:
    """What runs compute on with the backend that KERAS_BACKEND names: CXRBENCH_DEVICE, or else what this machine has.

    The variable is for the driver of a cluster whose nodes have a GPU that its own machine lacks. A machine with no
    device file of an accelerator says 'cpu' at once. Else one process is started that loads the backend and answers,
    some seconds, once for this process: a backend may be built for the processor alone, and CUDA_VISIBLE_DEVICES may
    hide a GPU. Raises CxrbenchError where the backend can't be loaded.
    """
    if told := os.environ.get("CXRBENCH_DEVICE"):
        return told
    name = backend.backend_name()
    return _asked(name) if _may_have_one(name) else "cpu"


def _may_have_one(name: str) -> bool:
    patterns = (*DEVICE_FILES, INTEL) if name == "torch" else DEVICE_FILES
    return platform.system() != "Linux" or any(glob.glob(pattern) for pattern in patterns)


@functools.cache
def _asked(name: str) -> str:
    try:
        done = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        raise CxrbenchError(f"backend {name} did not start within {PATIENCE_S} s; is its GPU in order?") from None
    lines = done.stdout.split("\n")
    if done.returncode or len(lines) < 2:
        told = (done.stderr.strip().splitlines() or ["no reason told"])[-1]
        raise CxrbenchError(f"backend {name} does not start here ({told}); mend its installation or choose another")
    return lines[-2]
