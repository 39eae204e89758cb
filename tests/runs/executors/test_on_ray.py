"""A real Ray cluster of this machine: runs and their files travel, and what a process or a node takes away goes on."""

import contextlib
import json
import os
import signal

import numpy as np
import pytest

pytest.importorskip("ray", reason="the extra 'ray' is not installed")

import ray
from ray.cluster_utils import Cluster

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.files import sha256_of
from cxrbench.runs.executors.on_ray import LOSSES, RayExecutor
from cxrbench.runs.executors.ray_cluster import shares
from cxrbench.training import backend
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


@contextlib.contextmanager
def cluster_of(nodes, cpus=1):
    """A head without a CPU, where the driver is, and ``nodes`` nodes of ``cpus``."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    try:
        for _ in range(nodes):
            cluster.add_node(num_cpus=cpus)
        yield cluster
    finally:
        ray.shutdown()
        cluster.shutdown()


@pytest.fixture(scope="module")
def node():
    with cluster_of(1) as cluster:
        yield cluster.address


@pytest.fixture
def images(tmp_path):
    return make_images(tmp_path)


def test_images_and_weights_are_sent_to_a_node_that_shares_no_folder_and_the_files_come_back(node, images, tmp_path):
    weights = tmp_path / "start.weights.h5"
    weights.write_bytes(b"weights" * 1000)
    known, total = sha256_of(weights), int(np.load(tmp_path / "images.npy").sum())
    job = make_job(tmp_path, images, "travels", weights=str(weights), epochs=3)

    def take_the_files_away(event):
        for path in (weights, job.array):
            path.unlink(missing_ok=True)

    told = drive(RayExecutor(1, node, counting()), [job], tmp_path, take_the_files_away)
    record = record_of(tmp_path, "travels")
    assert (record["images"], record["weights"]) == (total, ["start.weights.h5", known])
    assert (tmp_path / "travels" / "model.keras").read_bytes() == bytes(200_000)
    assert [(event.kind, event.epoch) for event in told] == [("epoch", 1), ("epoch", 2), ("epoch", 3), ("done", 0)]


def test_one_warm_process_takes_the_runs_of_one_graph_first(node, images, tmp_path):
    executor = RayExecutor(1, node, counting())
    models = {"a1": "small_cnn", "b": "quick_cnn", "a2": "small_cnn"}
    ended = []
    for run, model in models.items():
        (tmp_path / run).mkdir()
        executor.submit(make_job(tmp_path, images, run, model=model), tmp_path / run, tmp_path / f"{run}.checkpoint")
    while len(ended) < len(models):
        ended += [event.run for event in executor.events(5) if event.kind == "done"]
    executor.close()
    executor.close()
    assert ended == ["a1", "a2", "b"]
    assert len({record_of(tmp_path, run)["pid"] for run in models}) == 1


def test_a_run_that_raises_is_told_with_its_reason_and_the_slot_trains_the_next(node, images, tmp_path):
    jobs = [make_job(tmp_path, images, "raises", optimizer="sgd", lr=0.5), make_job(tmp_path, images, "next")]
    told = drive(RayExecutor(1, node, counting()), jobs, tmp_path)
    (failed,) = (event for event in told if event.kind == "failed")
    assert (failed.run, failed.reason, failed.lost) == ("raises", "ValueError: no image is 0.5 wide", False)
    assert "Traceback" in failed.traceback
    assert record_of(tmp_path, "next")["first"] == 1


def test_a_run_whose_process_is_killed_goes_on_from_the_checkpoint_that_came_back(node, images, tmp_path, capfd):
    checkpoint, killed = tmp_path / "killed.checkpoint", []

    def kill_once(event):
        if event.epoch == 3 and not killed:
            killed.append(json.loads(checkpoint.read_text()))
            os.kill(killed[0]["pid"], signal.SIGKILL)

    job = make_job(tmp_path, images, "killed", epochs=30)
    told = drive(RayExecutor(1, node, counting(0.1), checkpoint_s=0.0), [job], tmp_path, kill_once)
    record = record_of(tmp_path, "killed")
    assert record["pid"] != killed[0]["pid"]
    assert record["first"] > killed[0]["epoch"]
    assert epochs_of(told, "killed") == list(range(1, 31))
    assert "run killed goes on elsewhere from its last checkpoint" in capfd.readouterr().err


def test_a_run_that_takes_every_process_with_it_is_told_as_lost(node, images, tmp_path):
    executor = RayExecutor(1, node, counting())
    (tmp_path / "aborts").mkdir()
    executor.submit(make_job(tmp_path, images, "aborts", optimizer="rmsprop"), tmp_path / "aborts", tmp_path / "kept")
    events = []
    while not events:
        events = executor.events(5)
    executor.close()
    (event,) = events
    assert (event.kind, event.lost) == ("failed", True)
    assert f"lost {LOSSES} times" in event.reason


def test_a_node_with_other_libraries_trains_nothing(node, images, tmp_path, monkeypatch):
    monkeypatch.setattr(backend, "versions", lambda: {"keras": "2.0"})
    with pytest.raises(CxrbenchError, match=r"can't train: .*keras.*this machine \{'keras': '2.0'\}"):
        drive(RayExecutor(1, node, counting()), [make_job(tmp_path, images, "run")], tmp_path)


def test_a_run_gets_the_threads_of_its_setting_or_a_sentence(images, tmp_path):
    jobs = [make_job(tmp_path, images, f"threads{k}", threads=k) for k in (1, 2)]
    with cluster_of(1, cpus=2) as cluster:
        drive(RayExecutor(1, cluster.address, counting()), jobs, tmp_path)
        with pytest.raises(CxrbenchError, match="threads is 3, and the largest node of the Ray cluster has 2 cores"):
            drive(
                RayExecutor(1, cluster.address, counting()), [make_job(tmp_path, images, "many", threads=3)], tmp_path
            )
    assert [record_of(tmp_path, job.run)["threads"] for job in jobs] == [1, 2]


@pytest.mark.parametrize("address", ["127.0.0.1:1", "ray", "nowhere.invalid:6379"])
def test_no_cluster_is_a_sentence(address):
    with pytest.raises(CxrbenchError, match=f"there is no Ray cluster at {address} .*set RAY_ADDRESS"):
        RayExecutor(1, address)


def test_two_nodes_train_what_this_machine_trains_and_the_loss_of_one_in_mid_grid_loses_no_run(images, tmp_path):
    with cluster_of(2) as cluster:
        executor = RayExecutor(None, cluster.address, often_kept(), checkpoint_s=0.0)
        assert executor.slots == 2
        node = next(iter(cluster.worker_nodes))
        went_on, there, here = train_and_lose_a_node(
            executor, grid(tmp_path, images), tmp_path, lambda: cluster.remove_node(node, allow_graceful=False)
        )
    assert sum(epoch >= 3 for epoch in went_on.values()) == 1
    assert there == here


@pytest.mark.parametrize(
    ("nodes", "workers", "shared"),
    [
        ([(4, 0), (4, 0)], 3, (3, 0.0, 4)),
        ([(4, 0), (2, 0)], None, (6, 0.0, 4)),
        ([(32, 8), (32, 8)], None, (16, 1.0, 32)),
        ([(32, 4)], 2, (2, 1.0, 32)),
        ([(32, 4)], 6, (6, 0.5, 32)),
        ([(0, 0), (8, 0)], 2, (2, 0.0, 8)),
    ],
)
def test_a_cluster_is_shared_out_and_no_run_gets_more_than_a_gpu(monkeypatch, nodes, workers, shared):
    listed = [{"Alive": True, "Resources": {"CPU": cpus, "GPU": gpus}} for cpus, gpus in nodes]
    dead = {"Alive": False, "Resources": {"CPU": 64.0, "GPU": 64.0}}
    monkeypatch.setattr(ray, "nodes", lambda: [*listed, dead])
    assert shares(workers) == shared
