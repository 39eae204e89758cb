"""A run of the store is used again only when it is whole and readable."""

import errno
import json
import os
import shutil

import pandas as pd
import pytest

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.tables import TABLES, write_table
from cxrbench.runs import store as stores
from cxrbench.runs.store import RunStore, read_record

RUN = "a" * 16


def written(store, score=0.5):
    folder = store.begin(RUN)
    scores = pd.DataFrame([("a", "i", "p", "test", 1, score)], columns=list(TABLES["scores"]))
    write_table(folder / "scores.csv", scores, "scores")
    history = pd.DataFrame([(1, 0.6, 0.7, 0.5, 0.9, 2.0)], columns=list(TABLES["history"]))
    write_table(folder / "history.csv", history, "history")
    (folder / "model.keras").write_text("model")
    (folder / "run.json").write_text(json.dumps({"run": RUN, "epoch_seconds": 2.0}))
    return folder


@pytest.fixture
def store(tmp_path):
    store = RunStore(tmp_path / "runs")
    store.commit(RUN, written(store))
    return store


def test_a_run_is_there_only_when_it_is_whole(tmp_path):
    store = RunStore(tmp_path / "runs")
    folder = written(store)
    assert not store.has(RUN)
    store.commit(RUN, folder)
    assert store.has(RUN)


def test_the_model_stays_in_the_store_alone(store, tmp_path):
    store.copy_out(RUN, tmp_path / "out")
    assert sorted(os.listdir(tmp_path / "out")) == ["history.csv", "run.json", "scores.csv"]


def test_a_full_disk_while_a_run_is_copied_out_is_one_sentence(store, tmp_path, monkeypatch):
    def full(source, target):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target))

    monkeypatch.setattr(shutil, "copy2", full)
    with pytest.raises(CxrbenchError, match=r"out/\w+\.\w+: No space left on device; free some space"):
        store.copy_out(RUN, tmp_path / "out")


@pytest.mark.parametrize("damage", ["change", "delete", "no checksums", "broken checksums", "empty checksums"])
def test_a_damaged_entry_is_dropped_with_a_word(store, capsys, damage):
    entry = store.path(RUN)
    if damage == "change":
        (entry / "scores.csv").write_text("scorez")
    elif damage == "delete":
        (entry / "scores.csv").unlink()
    elif damage == "no checksums":
        (entry / stores.CHECKSUMS).unlink()
    else:
        (entry / stores.CHECKSUMS).write_text("{" if damage == "broken checksums" else "{}")
    assert not store.has(RUN)
    assert "damaged" in capsys.readouterr().err
    assert not entry.exists()
    store.commit(RUN, written(store))
    assert store.has(RUN)


@pytest.mark.parametrize("table", ["scores", "history"])
@pytest.mark.parametrize("change", ["column", "value", "gone"])
def test_a_whole_entry_that_the_reader_refuses_is_dropped_with_a_word(tmp_path, capsys, table, change):
    store = RunStore(tmp_path)
    folder = written(store)
    text = (folder / f"{table}.csv").read_text()
    if change == "gone":
        (folder / f"{table}.csv").unlink()
    else:
        head = text.splitlines()[0]
        new = text.replace(head, f"{head}er") if change == "column" else text.replace("0.5", "half")
        (folder / f"{table}.csv").write_text(new)
    store.commit(RUN, folder)
    assert not store.has(RUN)
    assert f"has a {table} table that this version of cxrbench can't read" in capsys.readouterr().err
    assert not store.path(RUN).exists()


def test_a_run_that_another_process_copied_out_stays_and_half_of_one_is_replaced(store, tmp_path):
    """A stage whose DVC was killed lives on beside the stage of the next one."""
    out = tmp_path / "out"
    store.copy_out(RUN, out)
    first = (out / "scores.csv").stat().st_ino
    store.copy_out(RUN, out)
    assert (out / "scores.csv").stat().st_ino == first
    (out / "scores.csv").write_text("half")
    (out / "run.json").unlink()
    store.copy_out(RUN, out)
    assert {path.name for path in out.iterdir()} == {"run.json", "history.csv", "scores.csv"}
    assert (out / "scores.csv").read_text() == (store.path(RUN) / "scores.csv").read_text()


def test_the_first_of_two_processes_wins_and_nothing_is_left_over(tmp_path):
    store = RunStore(tmp_path)
    first, second = written(store, 0.1), written(store, 0.2)
    store.commit(RUN, first)
    store.commit(RUN, second)
    assert "0.1" in (store.path(RUN) / "scores.csv").read_text()
    assert [p.name for p in tmp_path.iterdir()] == [RUN]


def test_an_amended_record_leaves_the_entry_whole_and_nothing_else(store):
    os.utime(store.path(RUN) / "run.json", (1000, 1000))
    store.amend_record(RUN, {"epoch_seconds": 1.0, "timing": {"alone": True, "machine": "this one"}})
    assert store.has(RUN)
    assert read_record(store.path(RUN)) == {
        "run": RUN, "epoch_seconds": 1.0, "timing": {"alone": True, "machine": "this one"},
    }  # fmt: skip
    assert (store.path(RUN) / "run.json").stat().st_mtime == 1000
    assert [path.name for path in store.folder.iterdir()] == [RUN]
    assert sorted(os.listdir(store.path(RUN))) == sorted([*stores.FILES, stores.CHECKSUMS])
    assert store.timed_alone(RUN, "this one")
    assert not store.timed_alone(RUN, "another one")


@pytest.mark.parametrize("moment", range(7))
def test_a_process_that_dies_while_it_amends_a_record_leaves_the_old_or_the_new_one(store, monkeypatch, moment):
    steps = iter(range(9))

    def die(call):
        def dying(*arguments):
            if next(steps) == moment:
                raise KeyboardInterrupt
            return call(*arguments)

        return dying

    monkeypatch.setattr(stores, "write_text", die(stores.write_text))
    monkeypatch.setattr(stores.os, "replace", die(os.replace))
    with pytest.raises(KeyboardInterrupt):
        store.amend_record(RUN, {"epoch_seconds": 1.0})
    monkeypatch.undo()
    assert store.has(RUN)
    assert read_record(store.path(RUN))["epoch_seconds"] in (1.0, 2.0)
    store.amend_record(RUN, {"epoch_seconds": 3.0})
    assert store.has(RUN)
    assert read_record(store.path(RUN))["epoch_seconds"] == 3.0


def test_a_damaged_entry_that_another_process_works_on_is_left_to_it(store, capsys):
    (store.path(RUN) / "scores.csv").write_text("scorez")
    other = RunStore(store.folder)
    with other.claim(RUN):
        assert not store.has(RUN)
        assert store.path(RUN).is_dir()
        assert not other.has(RUN)  # the holder itself drops it
    assert capsys.readouterr().err.count("is damaged") == 1
    assert not store.path(RUN).exists()


def test_one_run_is_claimed_once_until_it_is_released(store):
    other = RunStore(store.folder)
    claim = store.claim(RUN)
    assert claim.held
    assert other.claim(RUN) is None
    assert store.claim(RUN) is None
    assert other.claimed_by(RUN)["pid"] == os.getpid()
    assert other.claim("b" * 16) is not None
    claim.release()
    claim.release()
    assert other.claimed_by(RUN) is None
    with other.claim(RUN):
        assert store.claim(RUN) is None
    assert not list(store.folder.glob(f".{RUN}*"))


def test_a_success_removes_failure_and_checkpoint(tmp_path):
    store = RunStore(tmp_path)
    store.record_failure(RUN, "ValueError: no", "Traceback ...")
    failure = store.record_failure(RUN, "killed", "")
    assert (failure.times, failure.reason) == (2, "killed")
    assert store.failure(RUN) == failure
    store.checkpoint(RUN).write_text("weights")
    store.commit(RUN, written(store))
    assert store.failure(RUN) is None
    assert [path.name for path in tmp_path.iterdir()] == [RUN]


def test_tidying_removes_what_the_dead_left_and_nothing_of_the_living(store):
    dead, living, failed = "dead", "living", "failed"
    for run in (dead, living, RUN):
        written_by = store.begin(run)
        (written_by / "half").write_text("x")
        store.checkpoint(run).write_text("weights")
        (store.folder / f".{run}.lock").touch()
    store.record_failure(failed, "no", "")
    claim = RunStore(store.folder).claim(living)
    store.tidy()
    left = sorted(path.name.split("-")[0] for path in store.folder.iterdir())
    assert left == sorted(
        [RUN, ".dead.checkpoint.npz", ".living", ".living.checkpoint.npz", ".living.lock", ".failed.failure.json"]
    )
    claim.release()
    store.tidy()
    assert not list(store.folder.glob(".living-*"))
    assert store.checkpoint(living).exists()
    assert store.has(RUN)


def test_a_run_that_is_used_or_worked_on_can_not_be_discarded(store):
    user, pruner = RunStore(store.folder), RunStore(store.folder)
    user.use([RUN, "0-0.npy"])
    assert pruner.used_now() == {RUN, "0-0.npy"}
    assert not pruner.discard(RUN)
    array = store.folder / "arrays" / "0-0.npy"
    array.parent.mkdir()
    array.touch()
    array.with_suffix(".txt").touch()
    assert not pruner.discard_file(array)
    del user
    with store.claim(RUN):
        assert not pruner.discard(RUN)
    assert pruner.discard_file(array)
    assert not list(array.parent.iterdir())
    store.checkpoint(RUN).touch()
    assert pruner.discard(RUN)
    assert pruner.discard(RUN)  # as when two prune at once
    assert {path.name for path in store.folder.iterdir()} == {".grids", "arrays"}


def test_use_is_a_runs_time(store):
    os.utime(store.path(RUN), (1000, 1000))
    store.use([RUN, "not-there"])
    assert store.path(RUN).stat().st_mtime > 1000


def test_times_are_alone_only_while_no_other_process_trains(tmp_path):
    store = RunStore(tmp_path)
    with store.beside(alone=False) as first:
        assert first.nobody
        with store.beside(alone=False) as second:
            assert not second.nobody
            assert not first.nobody
        assert not first.nobody  # one came and went
    with store.beside(alone=False) as third:
        assert third.nobody
    with store.beside(alone=True) as alone:
        assert alone.nobody
