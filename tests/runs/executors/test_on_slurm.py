"""Jobs through submitit on this machine, and on a real Slurm of two nodes where one can be started."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("submitit", reason="the extra 'slurm' is not installed")

from cxrbench.base.errors import CxrbenchError
from cxrbench.runs.executors.on_slurm import SlurmExecutor
from tests.runs.executors import slurm_cluster
from tests.runs.executors.cluster_runs import (
    counting,
    drive,
    epochs_of,
    grid,
    make_images,
    make_job,
    often_kept,
    record_of,
    train_and_lose_a_node,
)

pytestmark = pytest.mark.slow
HERE = "cluster=local cpus_per_task=1"  # submitit's own executor, which needs no Slurm


@pytest.fixture
def images(tmp_path):
    return make_images(tmp_path)


def executor_of(folder, options, epoch_s=0.05):
    return SlurmExecutor(folder / "slurm", options, counting(epoch_s), ask_s=0.5)


def test_a_job_trains_several_runs_of_one_graph_in_one_process(images, tmp_path):
    models = {"a1": "small_cnn", "b1": "quick_cnn", "a2": "small_cnn", "b2": "quick_cnn"}
    jobs = [make_job(tmp_path, images, run, model=model) for run, model in models.items()]
    executor = executor_of(tmp_path, f"{HERE} jobs=2 runs=2")
    assert executor.slots == 4
    told = drive(executor, jobs, tmp_path)
    process = {run: record_of(tmp_path, run)["pid"] for run in models}
    assert process["a1"] == process["a2"] != process["b1"] == process["b2"]
    assert {run: epochs_of(told, run) for run in models} == {run: [1, 2] for run in models}
    assert sorted(os.listdir(tmp_path / "a1")) == ["model.keras", "run.json"]
    assert not list((tmp_path / "slurm").glob("cxrbench-*"))


def test_runs_share_the_jobs_evenly_and_never_more_jobs_than_asked_for(images, tmp_path):
    jobs = [make_job(tmp_path, images, f"run{k}") for k in range(9)]
    drive(executor_of(tmp_path, f"{HERE} jobs=1 runs=3"), jobs, tmp_path)
    pids = [record_of(tmp_path, job.run)["pid"] for job in jobs]
    assert sorted(map(pids.count, set(pids))) == [3, 3, 3]


def test_runs_of_other_threads_are_in_another_job(images, tmp_path):
    jobs = [make_job(tmp_path, images, f"run{k}", threads=1 + k % 2) for k in range(4)]
    drive(executor_of(tmp_path, "cluster=local jobs=1 runs=4"), jobs, tmp_path)
    records = [record_of(tmp_path, job.run) for job in jobs]
    assert [record["threads"] for record in records] == [1, 2, 1, 2]
    assert records[0]["pid"] == records[2]["pid"] != records[1]["pid"] == records[3]["pid"]


def test_a_run_that_raises_is_told_with_its_reason_and_its_job_goes_on(images, tmp_path):
    jobs = [make_job(tmp_path, images, "raises", optimizer="sgd", lr=0.5), make_job(tmp_path, images, "next")]
    told = drive(executor_of(tmp_path, f"{HERE} jobs=1"), jobs, tmp_path)
    (failed,) = (event for event in told if event.kind == "failed")
    assert (failed.run, failed.reason, failed.lost) == ("raises", "ValueError: no image is 0.5 wide", False)
    assert "Traceback" in failed.traceback
    assert record_of(tmp_path, "next")["first"] == 1


def at_epoch(number, checkpoint, act):
    """Calls ``act(process)`` once, when epoch ``number`` is told."""
    acted = []

    def on_event(event):
        if event.epoch == number and not acted:
            acted.append(json.loads(checkpoint.read_text())["pid"])
            act(acted[0])

    return on_event


def test_a_job_that_is_preempted_goes_on_from_the_last_epoch(images, tmp_path):
    jobs = [make_job(tmp_path, images, "preempted", epochs=40), make_job(tmp_path, images, "next")]
    preempt = at_epoch(3, tmp_path / "preempted.checkpoint", lambda pid: os.kill(pid, signal.SIGUSR2))
    told = drive(executor_of(tmp_path, f"{HERE} jobs=1", 0.1), jobs, tmp_path, preempt)
    assert record_of(tmp_path, "preempted")["first"] > 3
    assert epochs_of(told, "preempted") == list(range(1, 41))
    assert record_of(tmp_path, "preempted")["pid"] == record_of(tmp_path, "next")["pid"]
    assert [event for event in told if event.kind == "failed"] == []


def test_of_a_job_that_is_killed_the_run_in_the_making_is_lost_and_the_others_wait_for_the_next_job(images, tmp_path):
    jobs = [make_job(tmp_path, images, run, epochs=20) for run in ("first", "second", "third")]
    kill = at_epoch(3, tmp_path / "second.checkpoint", lambda pid: os.kill(pid, signal.SIGKILL))
    told = drive(executor_of(tmp_path, f"{HERE} jobs=1", 0.1), jobs, tmp_path, lambda e: e.run == "second" and kill(e))
    (lost,) = (event for event in told if event.kind == "failed")
    assert (lost.run, lost.lost) == ("second", True)
    assert epochs_of(told, "second") == list(range(1, 21))
    assert {run: record_of(tmp_path, run)["first"] for run in ("first", "third")} == {"first": 1, "third": 1}


def test_a_closed_executor_writes_no_more(images, tmp_path):
    executor = executor_of(tmp_path, f"{HERE} jobs=1", 0.1)
    (tmp_path / "run").mkdir()
    executor.submit(make_job(tmp_path, images, "run", epochs=500), tmp_path / "run", tmp_path / "run.checkpoint")
    while not executor.events(1):
        pass
    executor.close()
    executor.close()
    last = (tmp_path / "run.checkpoint").read_text()
    time.sleep(0.5)
    assert (tmp_path / "run.checkpoint").read_text() == last
    assert not os.listdir(tmp_path / "run")


@pytest.mark.parametrize(
    ("options", "message"),
    [("partition", "'partition' must be KEY=VALUE"), (f"{HERE} partitoin=gpu", "partitoin"), ("jobs=0", "jobs")],
)
def test_wrong_options_are_a_sentence(tmp_path, options, message):
    with pytest.raises(CxrbenchError, match=f"CXRBENCH_SLURM .*{message}"):
        executor_of(tmp_path, options)


NODES = "partition=all cpus_per_task=1 jobs=2 runs=2"
real_slurm = pytest.mark.skipif(bool(slurm_cluster.why_not()), reason=slurm_cluster.why_not() or "there is one")


def squeue(form):
    """What Slurm says of each job that waits or runs."""
    command = ["squeue", "--noheader", "--array", f"--format={form}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


@pytest.fixture
def cluster():
    with slurm_cluster.slurm_cluster() as cluster:
        yield cluster


@real_slurm
def test_two_nodes_train_what_this_machine_trains_and_the_loss_of_one_in_mid_grid_loses_no_run(
    cluster, images, tmp_path
):
    executor = SlurmExecutor(tmp_path / "slurm", NODES, often_kept(), ask_s=1)
    went_on, there, here = train_and_lose_a_node(executor, grid(tmp_path, images), tmp_path, lambda: cluster.kill("n2"))
    assert cluster.state("n2").startswith("down")
    assert sum(epoch >= 3 for epoch in went_on.values()) == 1
    assert there == here


@real_slurm
def test_what_slurm_requeues_goes_on_and_what_it_cancels_is_told_as_lost(cluster, images, tmp_path):
    jobs = [make_job(tmp_path, images, run, epochs=60) for run in ("requeued", "cancelled")]

    seen = set()

    def interfere(event):
        if event.epoch == 5 and event.run not in seen:
            seen.add(event.run)
            first, *_, last = sorted(squeue("%i"))  # the tasks of an array are numbered in the order of submission
            command = ["scontrol", "requeue", first] if event.run == "requeued" else ["scancel", last]
            subprocess.run(command, check=True)

    executor = executor_of(tmp_path, "partition=all cpus_per_task=1 jobs=2 runs=1", 0.1)
    told = drive(executor, jobs, tmp_path, interfere)
    assert [event.run for event in told if event.lost] == ["cancelled"]
    for run in ("requeued", "cancelled"):
        assert epochs_of(told, run) == list(range(1, 61))
        assert record_of(tmp_path, run)["first"] > 5


@real_slurm
def test_the_jobs_of_a_killed_driver_are_cancelled_by_the_next_and_those_of_a_living_one_stay(
    cluster, images, tmp_path
):
    code = f"""
import sys, time
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parents[3])!r})
from cxrbench.runs.executors.on_slurm import SlurmExecutor
from tests.runs.executors.cluster_runs import counting, make_images, make_job
folder = Path(sys.argv[1])
rows = make_images(folder)
executor = SlurmExecutor(folder / "slurm", "partition=all cpus_per_task=1", counting(0.1))
(folder / "orphan").mkdir()
executor.submit(make_job(folder, rows, "orphan", epochs=5000), folder / "orphan", folder / "orphan.checkpoint")
while not executor.events(1):
    pass
print("trains", flush=True)
time.sleep(600)
"""
    driver = subprocess.Popen([sys.executable, "-c", code, tmp_path], stdout=subprocess.PIPE, text=True)
    assert driver.stdout.readline() == "trains\n"
    with contextlib.closing(executor_of(tmp_path, "partition=all")):
        assert squeue("%T") == ["RUNNING"]
    driver.kill()
    driver.wait()
    with contextlib.closing(executor_of(tmp_path, "partition=all")):
        until = time.monotonic() + 30
        while squeue("%T") and time.monotonic() < until:
            time.sleep(0.5)
        assert squeue("%T") == []


@real_slurm
def test_a_partition_that_slurm_lacks_is_a_sentence(cluster, images, tmp_path):
    executor = executor_of(tmp_path, "partition=gpu cpus_per_task=1")
    with pytest.raises(CxrbenchError, match=r"Slurm takes no job: .*[Ii]nvalid partition"):
        drive(executor, [make_job(tmp_path, images, "run")], tmp_path)
