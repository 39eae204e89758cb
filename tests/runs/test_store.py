"""A run of the store is used again only when it is whole and readable."""

import json
import os

import pandas as pd
import pytest

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
    assert store.timed_alone(RUN, "this one")
    assert not store.timed_alone(RUN, "another one")
