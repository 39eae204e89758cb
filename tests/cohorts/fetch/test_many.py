"""Many small files at once: few connections, an end at the first thing that cannot be mended, nothing lost."""

import hashlib
import threading

import pytest

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.fetch.http import Job, Patience, fetch_many
from tests.cohorts.fetch.server import NO_STALL, Server, cut, reset, stall, status

COUNT = 60
BODIES = {f"/files/{n}.jpg": bytes([n]) * (500 + n) for n in range(COUNT)}


@pytest.fixture
def server():
    with Server(BODIES) as running:
        yield running
    assert running.errors == []


def jobs(server, folder, paths=tuple(BODIES)):
    for path in paths:
        sha256 = hashlib.sha256(BODIES.get(path, b"")).hexdigest()
        yield Job(server.url(path), folder / path.rpartition("/")[2], sha256=sha256)


def whole(folder):
    return {
        f"/files/{path.name}" for path in folder.glob("*.jpg") if BODIES[f"/files/{path.name}"] == path.read_bytes()
    }


def test_every_file_comes_over_as_many_connections_as_were_asked_for(server, tmp_path):
    heard = []
    assert fetch_many(jobs(server, tmp_path), connections=4, advance=lambda count, name: heard.append(name)) == COUNT
    assert whole(tmp_path) == set(BODIES)
    assert sorted(heard) == sorted(path.name for path in tmp_path.iterdir())
    assert server.connections <= 4


def test_single_files_that_fail_at_first_are_asked_again(server, tmp_path):
    for path, step in zip(BODIES, [cut(100), reset(100), status(503), status(429), stall(10)] * 2):
        server.script(path, step, step)
    patience = Patience(timeout_seconds=0.5, wait=lambda seconds: None)
    assert fetch_many(jobs(server, tmp_path), connections=8, patience=patience) == COUNT
    assert whole(tmp_path) == set(BODIES)


def test_a_second_call_asks_only_for_what_is_missing(server, tmp_path):
    half = tuple(BODIES)[: COUNT // 2]
    fetch_many(jobs(server, tmp_path, half), connections=3)
    server.seen.clear()
    assert fetch_many(jobs(server, tmp_path), connections=3) == COUNT
    assert {seen.path for seen in server.seen} == set(BODIES) - set(half)


def test_the_first_error_that_cannot_be_mended_stops_the_rest_and_keeps_what_is_whole(server, tmp_path):
    paths = list(BODIES)
    server.script(paths[20], status(404))
    with pytest.raises(CxrbenchError, match=r"files/20\.jpg does not exist"):
        fetch_many(jobs(server, tmp_path), connections=2, patience=NO_STALL)
    assert set(paths[:18]) <= whole(tmp_path)
    assert len(server.seen) < COUNT
    assert not list(tmp_path.glob("20.jpg*"))
    server.script(paths[20])
    assert fetch_many(jobs(server, tmp_path), connections=2) == COUNT


def test_an_error_wakes_the_connections_that_wait_for_another_attempt(server, tmp_path):
    paths = list(BODIES)[:2]
    answered = threading.Event()

    def busy(handler):
        status(503, {"Retry-After": "500"})(handler)  # really waited for, but for the stop
        answered.set()

    def forbidden(handler):
        answered.wait()
        status(403)(handler)

    server.script(paths[0], busy)
    server.script(paths[1], forbidden)
    with pytest.raises(CxrbenchError, match="403"):
        fetch_many(jobs(server, tmp_path, paths), connections=2)
    assert len(server.seen) == 2


def test_jobs_are_taken_as_they_are_needed(server, tmp_path):
    taken = []

    def watched():
        for job in jobs(server, tmp_path):
            taken.append(job)
            yield job

    ahead = []
    fetch_many(watched(), connections=3, advance=lambda count, name: ahead.append(len(taken) - len(ahead)))
    assert max(ahead) <= 4


@pytest.mark.parametrize("fault", [KeyboardInterrupt, ZeroDivisionError])
def test_a_fault_in_the_callers_code_ends_every_thread(server, tmp_path, fault):
    def broken():
        yield from list(jobs(server, tmp_path))[:5]
        raise fault

    with pytest.raises(fault):
        fetch_many(broken(), connections=3)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("fetch")]


def test_nothing_to_fetch_is_no_error(tmp_path):
    assert fetch_many([], connections=4) == 0
