"""Which Ray cluster there is, and how it is shared out."""

import logging
import os
import socket

import ray

import cxrbench
from cxrbench.base.errors import CxrbenchError
from cxrbench.training import backend

ANSWER_S = 20.0  # for a cluster to answer


def connect(address: str | None) -> None:
    """Joins the cluster at ``address``; None for RAY_ADDRESS, else for the one of this machine.

    Its processes get this machine's cxrbench. Raises CxrbenchError where no cluster answers.
    """
    address = address or os.environ.get("RAY_ADDRESS") or "auto"
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    environment = {"py_modules": [cxrbench], "env_vars": {"KERAS_BACKEND": backend.backend_name()}}
    host, colon, port = address.rpartition(":")
    try:
        if colon:
            socket.create_connection((host, int(port)), timeout=ANSWER_S).close()  # Ray itself tries for minutes
        ray.init(address, runtime_env=environment, log_to_driver=False, logging_level=logging.ERROR)
    except (OSError, ValueError) as error:
        raise CxrbenchError(
            f"there is no Ray cluster at {address} ({' '.join(str(error).split())}); set RAY_ADDRESS to host:port, or"
            " start one: ray start --head --disable-usage-stats --include-dashboard=false"
        ) from None


def shares(workers: int | None) -> tuple[int, int, float]:
    """How many processes, the cores of each, and its part of a GPU, which is at most one.

    ``workers``: how many are asked for; None for one on each GPU, or on each core of a cluster without. No process
    asks for more cores than the smallest node has.
    """
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU")]
    cpus, gpus = (int(sum(node.get(kind, 0) for node in nodes)) for kind in ("CPU", "GPU"))
    slots = workers or gpus or cpus or 1
    threads = max(1, min([cpus // slots, *(int(node["CPU"]) for node in nodes)]))
    return slots, threads, 1 / -(-slots // gpus) if gpus else 0.0
