"""The device is known without loading the backend where no accelerator can be there."""

import subprocess
import sys
from types import SimpleNamespace

import pytest

from cxrbench.base.errors import CxrbenchError
from cxrbench.runs import device as devices


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A Linux machine whose device files lie in a folder; gives that folder and the list of processes it started."""
    started = []
    answer = SimpleNamespace(returncode=0, stdout="some native line\nNVIDIA H100 80GB HBM3\n", stderr="")

    def run(command, **_):
        started.append(command)
        return answer

    monkeypatch.setattr(devices.platform, "system", lambda: "Linux")
    monkeypatch.setattr(devices, "DEVICE_FILES", tuple(f"{tmp_path}{name}" for name in devices.DEVICE_FILES))
    monkeypatch.setattr(devices, "INTEL", f"{tmp_path}{devices.INTEL}")
    monkeypatch.setattr(devices.subprocess, "run", run)
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    devices._asked.cache_clear()
    yield SimpleNamespace(folder=tmp_path, started=started, answer=answer)
    devices._asked.cache_clear()


def plug_in(machine, name):
    path = machine.folder / "dev" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def test_a_machine_without_an_accelerators_device_file_is_a_cpu_and_starts_no_process(machine):
    for name in ("nvidiactl", "vfio/vfio", "null", "dri/card0"):
        plug_in(machine, name)
    assert devices.device() == "cpu"
    assert machine.started == []


@pytest.mark.parametrize("name", ["nvidia0", "dxg", "kfd", "accel0", "vfio/3"])
def test_where_a_device_file_is_the_backend_is_asked_once(machine, name):
    plug_in(machine, name)
    assert devices.device() == devices.device() == "NVIDIA H100 80GB HBM3"
    assert len(machine.started) == 1


def test_each_backend_is_asked_for_itself(machine, monkeypatch):
    plug_in(machine, "nvidia0")
    devices.device()
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    devices.device()
    assert len(machine.started) == 2


def test_a_gpu_that_draws_is_asked_for_by_pytorch_alone(machine, monkeypatch):
    plug_in(machine, "dri/renderD128")
    assert devices.device() == "cpu"
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    assert devices.device() != "cpu"


def test_another_system_than_linux_is_asked(machine, monkeypatch):
    monkeypatch.setattr(devices.platform, "system", lambda: "Darwin")
    devices.device()
    assert len(machine.started) == 1


def test_a_backend_that_does_not_start_is_an_error_with_its_own_last_line(machine):
    plug_in(machine, "nvidia0")
    machine.answer.returncode, machine.answer.stderr = 1, "Traceback\nImportError: libcudart.so.13 is not there\n"
    with pytest.raises(CxrbenchError, match=r"tensorflow does not start here \(ImportError: libcudart\.so\.13"):
        devices.device()


@pytest.mark.slow
def test_the_process_that_is_asked_gives_the_name_that_a_run_records():
    done = subprocess.run([sys.executable, "-c", devices.ASK], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == devices.device()


def test_a_driver_without_a_gpu_may_say_what_the_nodes_of_its_cluster_compute_on(machine, monkeypatch):
    monkeypatch.setenv("CXRBENCH_DEVICE", "NVIDIA H200")
    assert devices.device() == "NVIDIA H200"
    assert machine.started == []
