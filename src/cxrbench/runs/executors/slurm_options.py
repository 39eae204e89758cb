"""What CXRBENCH_SLURM asks of a cluster: KEY=VALUE, with spaces between.

``jobs`` at a time, of up to ``runs`` runs each; ``cluster=local`` does without Slurm. All other keys are submitit's for
a job: partition, account, qos, gpus_per_node, cpus_per_task (else the run's threads), mem_gb, timeout_min and so on.
"""

import shlex
from pathlib import Path
from typing import Any

import submitit

from cxrbench.base.errors import CxrbenchError

OPTIONS = {"jobs": 16, "runs": 4, "timeout_min": 1440, "signal_delay_s": 300}
GENERIC = ("timeout_min", "mem_gb", "cpus_per_task", "gpus_per_node")  # submitit's names for any cluster
TIMEOUTS = 1000


def read_options(said: str) -> dict[str, Any]:
    """The options; what ``said``, KEY=VALUE with spaces between, leaves open is from OPTIONS."""
    pairs = [word.partition("=") for word in shlex.split(said)]
    if wrong := [key for key, equals, _ in pairs if not equals]:
        raise CxrbenchError(f"CXRBENCH_SLURM is {said!r}; {wrong[0]!r} must be KEY=VALUE, such as partition=gpu")
    options: dict[str, Any] = OPTIONS | {key: int(value) if value.isdigit() else value for key, _, value in pairs}
    if wrong := [key for key in OPTIONS if not isinstance(options[key], int) or options[key] < 1]:
        raise CxrbenchError(f"CXRBENCH_SLURM is {said!r}; {wrong[0]} must be a whole number of at least 1")
    return options


def submitter(folder: Path, slurm: bool, options: dict[str, Any]) -> submitit.AutoExecutor:
    """What submits jobs of these options, without ours, under the name of ``folder``, where it keeps its files.

    Slurm may start a job again, after its time limit too as often as it needs.
    """
    options = {key if key in GENERIC else f"slurm_{key}": value for key, value in options.items()}
    endless = {"slurm_max_num_timeout": TIMEOUTS, "local_max_num_timeout": TIMEOUTS}
    try:
        made = submitit.AutoExecutor(folder, "slurm" if slurm else "local", **endless)
        made.update_parameters(name=folder.name, slurm_additional_parameters={"requeue": True}, **options)
    except (RuntimeError, NameError, AssertionError) as error:
        raise CxrbenchError(f"CXRBENCH_SLURM can't be used: {error}") from None
    return made
