"""A run's images do not depend on the order of a table; what is in the store is not trained again."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from cxrbench.base.assignment import column_of, with_redrawn
from cxrbench.base.errors import CxrbenchError
from cxrbench.base.files import sha256_of
from cxrbench.base.tables import PROTOCOLS, TABLES
from cxrbench.config.setting import Setting
from cxrbench.config.studies import PlannedRun
from cxrbench.runs import plan
from cxrbench.runs.fingerprint import data_sha256
from cxrbench.runs.store import RunStore
from cxrbench.training import backend
from tests.stages import fake_runs


def assignment(count=9):
    parts = ["train", "validation", "test"]
    rows = [
        {
            "cohort": "pneumonia", "source": "pneumonia", "image_id": f"i{k}", "path": f"/x/{k}", "sha256": f"{k:064}",
            "patient_id": f"p{k // 2}",
            "label": "normal", "target": k % 2, "paper": parts[k % 3], "patient": parts[k // 3 % 3], "official": "",
        }
        for k in range(count)
    ]  # fmt: skip
    return pd.DataFrame(rows)[list(TABLES["assignment"])]


@given(st.permutations(range(9)))
def test_the_order_of_the_table_changes_nothing(order):
    plain = plan.select(assignment(), "pneumonia", "paper")
    shuffled = plan.select(assignment().iloc[order], "pneumonia", "paper")
    assert plain.equals(shuffled)
    assert data_sha256(plain) == data_sha256(shuffled)


@pytest.mark.parametrize("column", ["source", "image_id", "sha256", "patient_id", "part", "target"])
def test_whatever_a_run_sees_is_in_the_hash(column):
    rows = plan.select(assignment(), "pneumonia", "paper")
    other = rows.copy()
    other.loc[0, column] = 1 - rows.loc[0, column] if column == "target" else "other"
    assert data_sha256(rows) != data_sha256(other)


def test_neither_where_files_lie_nor_an_image_that_is_not_used_is_in_the_hash():
    table = assignment()
    plain = data_sha256(plan.select(table, "pneumonia", "paper"))
    assert data_sha256(plan.select(table.assign(path="elsewhere"), "pneumonia", "paper")) == plain
    unused = table.iloc[:1].assign(image_id="a", paper="", sha256="f" * 64)
    assert data_sha256(plan.select(pd.concat([table, unused]), "pneumonia", "paper")) == plain


def test_a_part_without_images_is_an_error_that_names_it():
    with pytest.raises(CxrbenchError, match="'pneumonia' under protocol 'official' has no train images"):
        plan.select(assignment(), "pneumonia", "official")


def test_a_job_reads_the_images_that_its_fingerprint_covers(tmp_path):
    table = assignment().iloc[[4, 0, 8, 2, 6, 1, 5, 3, 7]]
    table.loc[table["image_id"] == "i4", ["paper", "patient"]] = ""  # in the array, and not in the run
    for row in table.itertuples():
        pixels = np.full((64, 64), 20 * int(row.image_id[1:]), "uint8")
        pixels[32:] += 50  # an image of one grey is refused
        Image.fromarray(pixels).save(tmp_path / f"{row.image_id}.png")
    table = table.assign(path=[str(tmp_path / f"{name}.png") for name in table["image_id"]])
    table = table.assign(sha256=[sha256_of(path) for path in table["path"]])
    (job,) = plan._jobs({"r": planned()[0]}, table, tmp_path / "arrays", 1).values()
    assert len(job.rows) == 8
    for row in job.rows.itertuples():
        assert (np.load(job.array)[row.index, :32] == 20 * int(row.image_id[1:])).all()


def planned(*seeds, alone=False, **setting):
    return [PlannedRun("rate", "lr=0.1", Setting(**setting), seed, alone) for seed in seeds or (0,)]


def test_a_missing_weights_file_is_an_error_that_names_setting_and_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CxrbenchError, match=r"study rate, lr=0.1: weights is 'w.weights.h5', and there is no file /.*"):
        plan.fingerprints(planned(weights="w.weights.h5"), assignment())


def test_a_queued_experiment_finds_the_weights_of_the_users_workspace(tmp_path, monkeypatch):
    copy = tmp_path / ".dvc" / "tmp" / "exps" / "tmp1"
    copy.mkdir(parents=True)
    (tmp_path / "w.weights.h5").write_bytes(b"1")
    monkeypatch.setattr(plan, "kept_squares", lambda *arguments: tmp_path / "array.npy")
    monkeypatch.chdir(tmp_path)
    here = plan.fingerprints(planned(weights="w.weights.h5"), assignment())
    monkeypatch.chdir(copy)
    assert plan.fingerprints(planned(weights="w.weights.h5"), assignment()) == here
    (job,) = plan._jobs({"r": planned(weights="w.weights.h5")[0]}, assignment(), tmp_path, 1).values()
    assert job.weights == str(tmp_path / "w.weights.h5")
    assert job.setting["weights"] == "w.weights.h5"  # the record names no path of this machine


def test_heads_on_one_backbone_keep_its_features_in_one_file_beside_the_array(tmp_path, monkeypatch):
    (tmp_path / "w.weights.h5").write_bytes(b"1")
    monkeypatch.setattr(plan, "kept_squares", lambda *arguments: tmp_path / "form-list.npy")
    start = {"weights": str(tmp_path / "w.weights.h5"), "backbone": "frozen"}

    def features(seed=0, **setting):
        one = PlannedRun("s", "l", Setting(**{**start, **setting}), seed)
        (job,) = plan._jobs({"r": one}, assignment(), tmp_path, 1).values()
        return job.features

    kept = features()
    assert kept == features(seed=1, lr=0.1, protocol="patient") != features(hide="lungs")
    assert (kept.parent, kept.suffix) == (tmp_path, ".npz")
    assert kept.name.startswith("form-list.")  # so that it goes when its array does
    assert features(backbone="trained") is features(augment="paper") is None


@pytest.fixture
def workers(monkeypatch, tmp_path):
    """What would be trained and timed, instead of workers; a store for it."""
    store, calls = RunStore(tmp_path / "store"), []
    by_run = {}

    def train_all(jobs, store, executor, on_epoch, on_run, on_failure):
        failures = []
        for job in jobs:
            calls.append(("train", job.seed))
            if job.seed in call.bad:
                failures.append(store.record_failure(job.run, "ValueError: no such thing", "traceback"))
                continue
            fake_runs.write(store, job.run, by_run[job.run], assignment(), 0.9)
            on_run(job.run)
        return failures

    def time_all(jobs, store, executor, on_epoch, on_run, on_failure):
        for job in jobs:
            calls.append(("time", job.seed))
            assert job.setting["epochs"] == plan.TIMED_EPOCHS
            store.amend_record(job.run, {"timing": {"alone": True, "machine": backend.machine()}})
            on_run(job.run)
        return []

    monkeypatch.setattr(plan, "train_all", train_all)
    monkeypatch.setattr(plan, "time_all", time_all)
    monkeypatch.setattr(plan, "kept_squares", lambda *arguments: tmp_path / "array.npy")

    def call(asked):
        calls.clear()
        by_run.update(zip(plan.fingerprints(asked, assignment()), asked))
        there = []
        names = plan.train_missing(asked, assignment(), store, tmp_path, 2, there.append)
        assert sorted(there) == sorted(set(names))
        return list(calls)

    call.store, call.bad, call.calls = store, set(), calls
    return call


def test_a_run_that_two_studies_ask_for_is_trained_once_and_then_used_again(workers):
    asked = [*planned(0, 1), *(dataclasses.replace(one, study="size") for one in planned(0))]
    assert workers(asked) == [("train", 0), ("train", 1)]
    assert workers([*asked, *planned(2)]) == [("train", 2)]


def test_a_cluster_is_asked_for_what_it_holds_where_no_number_is_given():
    jobs = [None] * 3
    assert plan._slots(jobs, None, "slurm") is None
    assert plan._slots(jobs, None, "ray") is None
    assert plan._slots(jobs, 16, "ray") == 3


def test_a_study_of_times_times_its_runs_once_after_all_is_trained(workers):
    asked = [*planned(0, 1, alone=True), *planned(0, lr=0.5)]
    assert workers(asked) == [("train", 0), ("train", 1), ("train", 0), ("time", 0), ("time", 1)]
    assert workers(asked) == []


def test_a_run_that_fails_is_an_error_in_words_when_all_else_is_trained_and_timed(workers):
    workers.bad.add(1)
    asked = [*planned(0, 1, 2, alone=True), *planned(3)]
    with pytest.raises(plan.RunsFailed, match="1 of 4 runs failed; the other 3 are in the store") as caught:
        workers(asked)
    assert "rate, lr=0.1, seed 1: ValueError: no such thing" in str(caught.value)
    failed = plan.fingerprints(planned(1), assignment())
    assert caught.value.runs == set(failed)
    assert str(workers.store.failure_file(failed[0])) in str(caught.value)
    assert sorted(workers.calls) == sorted([("train", seed) for seed in range(4)] + [("time", 0), ("time", 2)])
    workers.bad.clear()
    assert workers(asked) == [("train", 1), ("time", 1)]
    assert workers.store.failure(failed[0]) is None


def test_runs_that_were_trained_side_by_side_are_timed_alone_when_a_study_asks(workers):
    assert workers(planned(0, 1)) == [("train", 0), ("train", 1)]
    assert workers([*planned(0), *planned(0, alone=True)]) == [("time", 0)]


def test_a_changed_column_is_trained_again_once(workers, monkeypatch, capsys):
    workers(planned(0, 1))
    monkeypatch.setitem(TABLES, "scores", {**TABLES["scores"], "weight": "float64"})
    select = plan.select
    monkeypatch.setattr(plan, "select", lambda *which: select(*which).assign(weight=1.0))
    capsys.readouterr()
    assert workers(planned(0, 1)) == [("train", 0), ("train", 1)]
    told = capsys.readouterr().err
    assert told.count("has a scores table that this version of cxrbench can't read; it is trained again") == 2
    assert workers(planned(0, 1)) == []


def redrawn_assignment():
    """``assignment`` with splits of its own for the seeds 0 and 3; the parts of the latter are turned by one."""
    table = assignment()
    rows = [
        table[["cohort", "source", "image_id"]].assign(
            seed=seed, **{name: table["paper"].tolist()[turn:] + table["paper"].tolist()[:turn] for name in PROTOCOLS}
        )
        for seed, turn in ((0, 2), (3, 1))
    ]
    return with_redrawn(table, pd.concat(rows))


def test_a_redrawn_setting_sees_its_seeds_own_split_and_another_setting_what_it_saw():
    table = redrawn_assignment()
    fixed, own = plan.select(table, "pneumonia", "paper"), plan.select(table, "pneumonia", column_of("paper", True, 3))
    assert fixed.equals(plan.select(assignment(), "pneumonia", "paper"))
    assert own["part"].tolist() == [*fixed["part"].tolist()[1:], fixed["part"].tolist()[0]]
    runs = [PlannedRun("s", "x", Setting(redraw=redraw), seed) for redraw in (False, True) for seed in (0, 3)]
    names = plan.fingerprints(runs, table)
    assert len(set(names)) == 4
    assert names[:2] == plan.fingerprints(runs[:2], assignment())


def test_a_seed_whose_split_was_not_drawn_is_named():
    with pytest.raises(CxrbenchError, match="has no split 'paper, seed 4'; run 'dvc repro split'"):
        plan.fingerprints([PlannedRun("s", "x", Setting(redraw=True), 4)], redrawn_assignment())


def test_two_studies_share_the_runs_of_a_redrawn_setting(tmp_path):
    runs = [PlannedRun(study, "x", Setting(redraw=True), seed) for study in ("s", "t") for seed in (0, 3)]
    names = plan.fingerprints(runs, redrawn_assignment())
    assert names[:2] == names[2:]
    assert len(set(names)) == 2
