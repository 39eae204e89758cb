"""As many runs at a time as cores and memory hold, and the reader is told why."""

import pytest

from cxrbench.base import machine
from cxrbench.runs import side_by_side as module
from cxrbench.runs.job import Job
from cxrbench.runs.side_by_side import side_by_side

GIB = 2**30


@pytest.fixture
def on(monkeypatch):
    """Makes this machine one of so many cores, memory and, if named, a GPU with its memory."""

    def make(cores, memory, gpu="cpu", gpu_memory=None):
        monkeypatch.setattr(machine, "cores", lambda: cores)
        monkeypatch.setattr(machine, "memory_bytes", lambda: memory)
        monkeypatch.setattr(machine, "gpu_memory_bytes", lambda: gpu_memory)
        monkeypatch.setattr(module, "device", lambda: gpu)

    return make


def jobs(count=20, image_size=64, batch_size=32, threads=1):
    setting = {"image_size": image_size, "batch_size": batch_size, "threads": threads}
    return [Job(str(number), setting, 0, None, None, "") for number in range(count)]


@pytest.mark.parametrize(
    ("machine_of", "runs", "workers", "slots", "why"),
    [
        ((8, 64 * GIB), jobs(), None, 8, "8 cores, 1 thread a run, memory for 39"),
        ((8, 64 * GIB), jobs(3), None, 3, "8 cores, 1 thread a run, memory for 39"),
        ((8, 64 * GIB), jobs(threads=3), None, 2, "8 cores, 3 threads a run, memory for 39"),
        ((1, 64 * GIB), jobs(threads=4), None, 1, "1 core, 4 threads a run, memory for 39"),
        ((64, 24 * GIB), jobs(image_size=224), None, 2, "64 cores, 1 thread a run, memory for 2"),
        ((64, GIB), jobs(image_size=224), None, 1, "64 cores, 1 thread a run, memory for 1"),
        ((64, GIB), jobs(image_size=224), 5, 5, "workers: 5, 64 cores, 1 thread a run"),
        ((2, GIB), jobs(), 5, 2, "workers: 5, 2 cores, 1 thread a run"),
        (
            (16, 128 * GIB, "NVIDIA H100", 80 * GIB), jobs(image_size=224), None, 9,
            "16 cores, 1 thread a run, memory of NVIDIA H100 for 9",
        ),
        (
            (16, 128 * GIB, "AMD", None), jobs(), None, 1,
            "16 cores, 1 thread a run, memory of AMD unknown",
        ),
    ],
)  # fmt: skip
def test_runs_side_by_side(on, machine_of, runs, workers, slots, why):
    on(*machine_of)
    assert side_by_side(runs, workers) == (slots, why)


def test_the_largest_run_decides(on):
    on(64, 24 * GIB)
    assert side_by_side([*jobs(), *jobs(1, image_size=224)], None)[0] == 2
