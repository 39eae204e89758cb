"""The executor that params.yaml names; a cluster's library is loaded only where it is asked for."""

from pathlib import Path

from cxrbench.base.errors import CxrbenchError
from cxrbench.runs.executors import Executor
from cxrbench.runs.executors.local import LocalExecutor


def chosen(name: str, workers: int | None, store: Path) -> Executor:
    """An executor of ``workers`` slots; None: as many as its cluster has, on this machine 1.

    CXRBENCH_SLURM says in any case how many Slurm has. ``store`` is the run store's folder.

    Raises CxrbenchError where its library is not installed or its cluster doesn't answer.
    """
    try:
        if name == "ray":
            from cxrbench.runs.executors.on_ray import RayExecutor

            return RayExecutor(workers)
        if name == "slurm":
            from cxrbench.runs.executors.on_slurm import SlurmExecutor

            return SlurmExecutor(store / ".slurm")
    except ModuleNotFoundError as error:
        if error.name not in ("ray", "submitit"):
            raise
        raise CxrbenchError(
            f"executor is {name}, and {error.name} is not installed; pip install 'cxrbench[{name}]', or set executor to"
            " local"
        ) from None
    return LocalExecutor(workers or 1)
