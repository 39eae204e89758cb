"""What this machine has for processes: cores, memory, and the memory of its GPUs."""

import contextlib
import os
import subprocess
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")  # where Linux keeps the limits of a container
ASK_GPU = ["nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits"]


def cores() -> int:
    """Cores that this process may use: a container's or a batch system's share counts, not the whole machine."""
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with contextlib.suppress(OSError, ValueError):  # 'max 100000' where nothing limits it
        quota, period = map(int, (CGROUP / "cpu.max").read_text().split())
        there = min(there, quota // period)
    return max(1, there)


def processes(workers: int | None) -> int:
    """How many processes to decode images with: one a core where ``workers`` is None."""
    return cores() if workers is None else workers


def memory_bytes() -> int:
    """Memory that processes may use in all; a container's limit counts."""
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with contextlib.suppress(OSError, ValueError):
        there = min(there, int((CGROUP / "memory.max").read_text()))
    return there


def gpu_memory_bytes() -> int | None:
    """Memory of the first NVIDIA GPU; None where its driver's own command does not say."""
    try:
        told = subprocess.run(ASK_GPU, capture_output=True, text=True, check=True, timeout=60).stdout
        return int(told.splitlines()[0]) * 2**20
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None
