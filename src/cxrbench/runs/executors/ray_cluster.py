"""Which Ray cluster there is, how it is shared out, and the slots on it."""

import dataclasses
import logging
import os
import socket
from typing import Any

import ray

import cxrbench
from cxrbench.base.errors import CxrbenchError
from cxrbench.runs.executors.ray_process import Process
from cxrbench.runs.executors.worker import Work
from cxrbench.training import backend

RESTARTS = 20  # of a slot's process, by Ray
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


def shares(workers: int | None) -> tuple[int, float, int]:
    """How many processes, the part of a GPU that each gets, at most one, and the cores of the largest node.

    ``workers``: how many are asked for; None for one on each GPU, or on each core of a cluster without. Those that
    find no room wait for it.
    """
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU")]
    cpus, gpus = (int(sum(node.get(kind, 0) for node in nodes)) for kind in ("CPU", "GPU"))
    slots = workers or gpus or cpus or 1
    return slots, 1 / -(-slots // gpus) if gpus else 0.0, max((int(node["CPU"]) for node in nodes), default=0)


@dataclasses.dataclass(eq=False)
class Slot:
    """A place for a process on some node that asks for ``gpu`` of one GPU, beside ``workers`` in all.

    ``answer`` is to what the process was asked last: to start, or to train ``run``; None where it is free.
    """

    work: Work
    workers: int
    gpu: float
    process: Any = None
    threads: int = 0  # of the process, for good
    answer: Any = None
    run: str = ""
    graph: tuple[Any, ...] = ()  # of the run that it trained last

    def become(self, threads: int) -> None:
        """Gets a new process, of so many threads."""
        self.end()
        lasting = {"max_restarts": RESTARTS, "max_task_retries": -1}  # -1: a call waits until the process is back
        process: Any = ray.remote(Process)
        process = process.options(num_cpus=threads, num_gpus=self.gpu, scheduling_strategy="SPREAD", **lasting)
        self.process, self.threads = process.remote(), threads
        self.start()

    def start(self) -> None:
        self.graph = ()
        self.answer = self.process.start.remote(backend.versions(), self.work, self.workers, self.threads)

    def end(self) -> None:
        if self.process is not None:
            ray.kill(self.process)
