"""A container's share of cores and memory counts, not the whole machine."""

import os
import subprocess

import pytest

from cxrbench.base import machine


@pytest.fixture
def limits(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "CGROUP", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)), raising=False)
    return tmp_path


@pytest.mark.parametrize(
    ("quota", "cores"), [("200000 100000", 2), ("50000 100000", 1), ("max 100000", 8), ("1600000 100000", 8), ("", 8)]
)
def test_cores_are_those_that_a_container_and_the_scheduler_allow(limits, quota, cores):
    (limits / "cpu.max").write_text(quota)
    assert machine.cores() == cores
    assert machine.processes(None) == cores
    assert machine.processes(3) == 3


def test_memory_is_what_a_container_allows(limits):
    whole = machine.memory_bytes()
    assert whole > 2**20
    (limits / "memory.max").write_text("max")
    assert machine.memory_bytes() == whole
    (limits / "memory.max").write_text(str(2**20))
    assert machine.memory_bytes() == 2**20


@pytest.mark.parametrize(("told", "found"), [("81559\n81559\n", 81559 * 2**20), ("", None), ("[N/A]\n", None)])
def test_a_gpus_memory_is_what_its_driver_says(monkeypatch, told, found):
    done = subprocess.CompletedProcess([], 0, told, "")
    monkeypatch.setattr(subprocess, "run", lambda *args, **options: done)
    assert machine.gpu_memory_bytes() == found


def test_without_a_driver_a_gpus_memory_is_unknown(monkeypatch):
    monkeypatch.setattr(machine, "ASK_GPU", ["no-such-command"])
    assert machine.gpu_memory_bytes() is None
