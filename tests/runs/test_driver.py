"""The driver loses no run, trains none twice and lets no failure stop the others; by an executor without processes."""

import json
import time

import pytest

from cxrbench.runs import driver
from cxrbench.runs.driver import time_all, train_all
from cxrbench.runs.executors import Event
from cxrbench.runs.executors.worker import TIMES
from cxrbench.runs.store import RunStore, read_record
from cxrbench.training.backend import machine
from tests.runs.quick_jobs import job, write_run


class Scripted:
    """An executor whose runs end one after the other as the script says: done unless it names another end."""

    def __init__(self, slots=1, script=None, write=write_run):
        self.slots, self.write = slots, write
        self.script = {run: list(ends) for run, ends in (script or {}).items()}
        self.under_way, self.submitted, self.beside, self.closed = {}, [], [], False

    def submit(self, job, written, checkpoint):
        assert len(self.under_way) < self.slots
        assert list(written.iterdir()) == []
        self.submitted.append(job.run)
        self.beside.append((job.run, set(self.under_way)))
        self.under_way[job.run] = written

    def events(self, timeout_s):
        run = next(iter(self.under_way))
        end = self.script[run].pop(0) if self.script.get(run) else "done"
        written = self.under_way.pop(run)
        if end == "raise at once":
            return [Event(run, "failed", reason="ValueError: no", traceback="Traceback: no")]
        if end == "lost":
            return [Event(run, "epoch", 1), Event(run, "failed", reason="killed", lost=True)]
        if end == "raise":
            return [Event(run, "epoch", 1), Event(run, "failed", reason="ValueError: no", traceback="Traceback: no")]
        if end == "done":
            self.write(written, run)
        return [Event(run, "epoch", 1), Event(run, "done"), Event("stranger", "done")]

    def close(self):
        self.closed = True


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setattr(driver, "PATIENCE_SECONDS", 0.01)
    return RunStore(tmp_path / "store")


@pytest.fixture
def jobs(tmp_path):
    def make(*runs, **setting):
        return [job(run, tmp_path / "log", **setting) for run in runs]

    return make


def drive(jobs, store, executor, on_run=lambda run: None):
    there = []

    def arrived(run):
        assert store.has(run)
        there.append(run)
        on_run(run)

    failures = train_all(jobs, store, executor, lambda run, epoch: None, arrived)
    assert executor.closed
    assert not list(store.folder.glob(".*.lock"))
    assert not list(store.folder.glob(".*-????????"))
    assert sorted([*there, *(one.run for one in failures)]) == sorted(job.run for job in jobs)
    return failures


def test_runs_of_one_graph_follow_each_other_and_no_slot_waits(store, jobs):
    executor = Scripted(2)
    drive([*jobs("a1", "a2", "a3", "a4", model="a"), *jobs("b1", "b2", "b3", model="b", epochs=3)], store, executor)
    graphs = [run[0] for run in executor.submitted]
    assert graphs == ["b", "a", "b", "a", "b", "a", "a"]
    assert [len(beside) for _, beside in executor.beside] == [0, 1, 1, 1, 1, 1, 1]


def test_the_longest_run_comes_first(store, jobs):
    executor = Scripted(1)
    drive([*jobs("short"), *jobs("long", epochs=9), *jobs("middle", epochs=5)], store, executor)
    assert executor.submitted == ["long", "middle", "short"]


@pytest.mark.parametrize("end", ["raise", "raise at once", "lost", "write nothing"])
def test_a_run_that_fails_is_tried_again_alone_after_all_others_and_succeeds(store, jobs, end):
    executor = Scripted(2, {"a": [end], "b": [end]})
    assert drive(jobs("a", "b", "c", "d", "e"), store, executor) == []
    assert executor.submitted[-2:] == ["a", "b"]
    assert executor.beside[-2:] == [("a", set()), ("b", set())]
    assert {store.failure(run) for run in "abcde"} == {None}


def test_the_first_failure_of_a_run_is_told_at_once_and_the_second_at_the_end(store, jobs):
    told, executor = [], Scripted(1, {"a": ["raise", "raise"]})
    later = []
    failures = train_all(
        jobs("a", "b"), store, executor, lambda run, epoch: None, later.append, lambda *failure: told.append(failure)
    )
    assert told == [("a", "ValueError: no")]
    assert later == ["b"]
    assert [one.run for one in failures] == ["a"]


def test_a_run_that_fails_twice_leaves_its_reason_and_stops_no_other(store, jobs):
    executor = Scripted(2, {"a": ["lost", "raise"], "b": ["lost", "lost"], "c": ["write nothing"] * 2})
    failures = drive(jobs("a", "b", "c", "d", "e"), store, executor)
    told = {one.run: (one.reason, one.traceback, one.times) for one in failures}
    assert told == {
        "a": ("ValueError: no", "Traceback: no", 2),
        "b": ("killed", "", 2),
        "c": ("FileNotFoundError: training wrote no run.json, model.keras, history.csv, scores.csv", "", 2),
    }
    assert [store.failure(one.run) for one in failures] == failures
    assert drive(jobs("a", "b", "c", "d", "e"), store, Scripted(2)) == []  # the user repeats the command
    assert store.failure("a") is None


@pytest.mark.parametrize(("end", "stays"), [("raise at once", False), ("raise", True), ("lost", True)])
def test_a_checkpoint_from_which_not_one_epoch_could_be_trained_is_not_used_again(store, jobs, end, stays):
    def see(written, run):
        seen.append(store.checkpoint(run).exists())
        write_run(written, run)

    seen = []
    store.folder.mkdir()
    store.checkpoint("a").touch()
    assert drive(jobs("a"), store, Scripted(1, {"a": [end]}, see)) == []
    assert seen == [stays]
    assert not store.checkpoint("a").exists()


def test_a_run_that_another_process_holds_is_left_to_it(store, jobs):
    other, executor = RunStore(store.folder), Scripted(2)
    claim = other.claim("a")

    def train_there(run):
        if run == "c":
            other.commit("a", _written(other, "a"))
            claim.release()

    assert drive(jobs("a", "b", "c"), store, executor, train_there) == []
    assert sorted(executor.submitted) == ["b", "c"]


def test_a_run_that_another_process_gives_up_is_trained_here_after_all(store, jobs):
    other, executor = RunStore(store.folder), Scripted(2)
    claim = other.claim("a")
    assert drive(jobs("a", "b", "c"), store, executor, lambda run: run == "c" and claim.release()) == []
    assert executor.submitted[-1] == "a"


def test_a_run_that_has_just_failed_twice_in_another_process_is_not_tried_here_too(store, jobs):
    other, executor = RunStore(store.folder), Scripted(2)
    claim = other.claim("a")

    def fail_there(run):
        if run == "c":
            other.record_failure("a", "no", "")
            other.record_failure("a", "no again", "")
            claim.release()

    (failure,) = drive(jobs("a", "b", "c"), store, executor, fail_there)
    assert failure.reason == "no again"
    assert sorted(executor.submitted) == ["b", "c"]


def test_what_another_process_holds_does_not_run_beside_a_second_try(store, jobs):
    other = RunStore(store.folder)
    claim = other.claim("b")
    executor = Scripted(2, {"a": ["raise"]})
    events = executor.events

    def release_during_the_second_try(timeout_s):
        if executor.submitted == ["c", "a", "a"] or executor.submitted == ["a", "c", "a"]:
            claim.release()
            executor.events = events
            time.sleep(2 * driver.PATIENCE_SECONDS)
            return []
        return events(timeout_s)

    executor.events = release_during_the_second_try
    assert drive(jobs("a", "b", "c"), store, executor) == []
    assert executor.beside[-2:] == [("a", set()), ("b", set())]


def test_an_interrupted_driver_gives_all_claims_back(store, jobs):
    executor = Scripted(2, {"a": ["raise"]})

    def interrupt(run):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        drive(jobs("a", "b", "c"), store, executor, interrupt)
    assert executor.closed
    other = RunStore(store.folder)
    assert [other.claimed_by(run) for run in "abc"] == [None] * 3
    assert not list(store.folder.glob(".*-????????"))


def test_a_time_taken_beside_another_process_is_not_taken_alone(store, jobs):
    def alone(written, run):
        write_run(written, run, alone=True)

    drive(jobs("a"), store, Scripted(1, write=alone))
    assert read_record(store.path("a"))["timing"]["alone"]
    with RunStore(store.folder).beside(alone=False):
        drive(jobs("b"), store, Scripted(1, write=alone))
    assert not read_record(store.path("b"))["timing"]["alone"]
    assert store.has("b")


def test_timing_keeps_times_alone_and_a_failure_leaves_the_run(store, jobs):
    def times(written, run):
        taken = {"epoch_seconds": 1.5, "timing": {"alone": True, "machine": machine()}}
        (written / TIMES).write_text(json.dumps(taken))

    drive(jobs("a", "b", "c"), store, Scripted(1))
    timed, executor = [], Scripted(1, {"b": ["raise"] * 2}, times)
    failures = time_all(jobs("a", "b", "c"), store, executor, lambda run, epoch: None, timed.append)
    assert ([one.run for one in failures], timed) == (["b"], ["a", "c"])
    assert read_record(store.path("a"))["epoch_seconds"] == 1.5
    assert all(store.has(run) for run in "abc")
    again = Scripted(1, write=times)
    assert time_all(jobs("a", "b", "c"), store, again, lambda run, epoch: None, timed.append) == []
    assert again.submitted == ["b"]


def _written(store, run):
    folder = store.begin(run)
    write_run(folder, run)
    return folder
