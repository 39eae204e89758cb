"""How many runs to train side by side: as many as the cores and the memory of this machine hold, unless given."""

from collections.abc import Sequence

from cxrbench.base import machine
from cxrbench.runs.device import device
from cxrbench.runs.job import Job

# Measured on TensorFlow in float32 with Xception, the largest of the networks (benchmarks/memory.py).
PROCESS_BYTES = 1 << 30  # a process with its backend, before the first image
TRAINED_BYTES = 5_200  # a pixel of a training batch: what is kept for the way back
SCORED_BYTES = 520  # a pixel of the images that are scored at once
SCORED = 256  # images at once, as training/trainer.py has it


def side_by_side(jobs: Sequence[Job], workers: int | None) -> tuple[int, str]:
    """How many of ``jobs`` to train at a time on this machine, and why, for the reader.

    Never more threads than cores. Where ``workers`` is None also no more than memory holds: the GPU's where runs
    compute on one.
    """
    threads = max(int(job.setting["threads"]) for job in jobs)
    by_cores = max(1, machine.cores() // threads)
    why = f"{_number(machine.cores(), 'core')}, {_number(threads, 'thread')} a run"
    if workers is not None:
        return min(workers, len(jobs), by_cores), f"workers: {workers}, {why}"
    by_memory, told = _by_memory(max(map(_bytes, jobs)))
    return min(len(jobs), by_cores, by_memory), f"{why}, {told}"


def _by_memory(run_bytes: int) -> tuple[int, str]:
    """How many runs of so many bytes a memory holds, and whose."""
    if device() == "cpu":
        held, whose = machine.memory_bytes(), "memory"
    else:
        held, whose = machine.gpu_memory_bytes() or 0, f"memory of {device()}"
        if not held:
            return 1, f"{whose} unknown"
    return max(1, held // run_bytes), f"{whose} for {max(1, held // run_bytes)}"


def _bytes(job: Job) -> int:
    pixels = int(job.setting["image_size"]) ** 2
    return PROCESS_BYTES + pixels * max(int(job.setting["batch_size"]) * TRAINED_BYTES, SCORED * SCORED_BYTES)


def _number(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
