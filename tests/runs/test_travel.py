"""Runs travel to another machine and back: nothing personal leaves, nothing strange comes in."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.files import sha256_of
from cxrbench.base.tables import TABLES, read_table
from cxrbench.config.setting import Setting
from cxrbench.runs import travel
from cxrbench.runs.job import Job
from cxrbench.runs.store import RunStore

SETTING = Setting(model="quick_cnn", image_size=32, epochs=1, batch_size=8)


@pytest.fixture
def jobs(tmp_path):
    """Two jobs, by name, on 24 images of patients with names."""
    np.save(tmp_path / "images.npy", np.random.default_rng(0).integers(0, 256, (24, 32, 32, 1)).astype("uint8"))
    rows = pd.DataFrame(
        {
            "source": "pneumonia",
            "image_id": [f"pneumonia/secret-{k:02}" for k in range(24)],
            "patient_id": [f"pneumonia:hidden-{k:02}" for k in range(24)],
            "part": ["train", "validation", "test"] * 8,
            "target": np.arange(24) % 2,
            "index": range(23, -1, -1),
        }
    )
    weights = tmp_path / "start.weights.h5"
    weights.write_bytes(b"weights")
    made = [
        Job("aaaa", SETTING.model_dump(), 0, rows, tmp_path / "images.npy", "f00d" * 16),
        Job(
            "bbbb",
            SETTING.model_dump(),
            1,
            rows,
            tmp_path / "images.npy",
            "f00d" * 16,
            str(weights),
            tmp_path / "images.f00d.npz",
        ),
    ]
    return {job.run: job for job in made}


def finished(folder, job, **changes):
    """Puts a finished run of ``job`` into the runs of an exported folder, as remote training does."""
    store = RunStore(folder / travel.RUNS)
    written = store.begin(job.run)
    exported = next(one for one in travel.exported_jobs(folder) if one.run == job.run)
    rows = exported.rows[exported.rows["part"] != "train"]
    scores = rows.assign(score=np.linspace(0, 1, len(rows)))[list(TABLES["scores"])]
    scores.to_csv(written / "scores.csv", index=False)
    history = {"epoch": [1], "loss": [0.5], "accuracy": [0.5], "val_loss": [0.5], "val_accuracy": [0.5], "seconds": [1]}
    pd.DataFrame(history).to_csv(written / "history.csv", index=False)
    record = {"run": job.run, "setting": job.setting, "seed": job.seed, "data": {"sha256": job.data_sha256}}
    (written / "run.json").write_text(json.dumps({**record, **changes}))
    (written / "model.keras").write_bytes(b"model")
    store.commit(job.run, written)
    return store.path(job.run)


def test_what_is_exported_is_what_comes_out_and_holds_no_name_of_an_image_or_patient(jobs, tmp_path):
    folder = tmp_path / "out"
    assert travel.export_jobs(list(jobs.values()), folder) == (tmp_path / "images.npy").stat().st_size
    for path in (path for path in folder.rglob("*") if path.is_file() and "code" not in path.parts):
        assert b"secret" not in path.read_bytes()
        assert b"hidden" not in path.read_bytes()
        assert str(tmp_path).encode() not in path.read_bytes()
    for job in travel.exported_jobs(folder):
        own = jobs[job.run]
        assert job.features is None
        assert (job.setting, job.seed, job.data_sha256) == (own.setting, own.seed, own.data_sha256)
        assert job.rows[["source", "part", "target", "index"]].equals(own.rows[["source", "part", "target", "index"]])
        np.testing.assert_array_equal(np.load(job.array), np.load(own.array))
    assert len(list((folder / "arrays").iterdir())) == 1


def test_imported_scores_have_their_names_again(jobs, tmp_path):
    folder, store = tmp_path / "out", RunStore(tmp_path / "store")
    travel.export_jobs(list(jobs.values()), folder)
    finished(folder, jobs["aaaa"])
    assert travel.import_runs(folder, jobs, store) == (["aaaa"], [])
    assert store.has("aaaa")
    scores, rows = read_table(store.path("aaaa") / "scores.csv", "scores"), jobs["aaaa"].rows
    rows = rows[rows["part"] != "train"]
    assert scores["image_id"].tolist() == rows["image_id"].tolist()
    assert scores["patient_id"].tolist() == rows["patient_id"].tolist()
    assert travel.import_runs(folder, jobs, store) == ([], [])


def test_a_run_that_nobody_asks_for_stays_outside(jobs, tmp_path):
    folder = tmp_path / "out"
    travel.export_jobs(list(jobs.values()), folder)
    finished(folder, jobs["bbbb"])
    assert travel.import_runs(folder, {"aaaa": jobs["aaaa"]}, RunStore(tmp_path / "store")) == ([], ["bbbb"])


@pytest.mark.parametrize("changes", [{"seed": 7}, {"setting": {}}, {"data": {"sha256": "0"}}])
def test_a_run_of_something_else_is_refused(jobs, tmp_path, changes):
    folder = tmp_path / "out"
    travel.export_jobs(list(jobs.values()), folder)
    finished(folder, jobs["aaaa"], **changes)
    with pytest.raises(CxrbenchError, match="was exported"):
        travel.import_runs(folder, jobs, RunStore(tmp_path / "store"))


def test_scores_of_other_images_are_refused(jobs, tmp_path):
    folder, store = tmp_path / "out", RunStore(tmp_path / "store")
    travel.export_jobs(list(jobs.values()), folder)
    entry = finished(folder, jobs["aaaa"])
    scores = (entry / "scores.csv").read_text().splitlines()
    (entry / "scores.csv").write_text("\n".join([scores[0], *scores[:0:-1]]) + "\n")
    sums = json.loads((entry / "checksums.json").read_text())
    (entry / "checksums.json").write_text(json.dumps({**sums, "scores.csv": sha256_of(entry / "scores.csv")}))
    with pytest.raises(CxrbenchError, match="not of the images"):
        travel.import_runs(folder, jobs, store)
    assert not store.has("aaaa")


def test_a_damaged_run_is_skipped_and_said(jobs, tmp_path, capsys):
    folder = tmp_path / "out"
    travel.export_jobs(list(jobs.values()), folder)
    with (finished(folder, jobs["aaaa"]) / "scores.csv").open("a") as file:
        file.write("x")
    assert travel.import_runs(folder, jobs, RunStore(tmp_path / "store")) == ([], [])
    assert "is damaged" in capsys.readouterr().err


def test_a_damaged_export_and_a_full_folder_are_refused(jobs, tmp_path):
    folder = tmp_path / "out"
    travel.export_jobs(list(jobs.values()), folder)
    with pytest.raises(CxrbenchError, match="not empty"):
        travel.export_jobs(list(jobs.values()), folder)
    with (folder / "arrays" / "images.npy").open("r+b") as file:
        file.seek(200)
        file.write(b"\0\1\2")
    with pytest.raises(CxrbenchError, match="missing or damaged"):
        travel.exported_jobs(folder)
    with pytest.raises(CxrbenchError, match=r"holds no jobs\.json"):
        travel.exported_jobs(tmp_path)


@pytest.mark.slow
def test_an_exported_folder_trains_with_its_own_code_and_gives_the_scores_of_here(jobs, tmp_path):
    from cxrbench.training.fit import train

    folder, store = tmp_path / "out", RunStore(tmp_path / "store")
    travel.export_jobs([jobs["aaaa"]], folder)
    shutil.move(folder, tmp_path / "elsewhere")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHONPATH", "KERAS"))}
    command = [sys.executable, "-P", "-m", "cxrbench.runs.remote", "."]
    done = subprocess.run(
        command, cwd=tmp_path / "elsewhere", env={**environment, "PYTHONPATH": "code"}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert travel.import_runs(tmp_path / "elsewhere", jobs, store) == (["aaaa"], [])
    (tmp_path / "here").mkdir()
    train(jobs["aaaa"], tmp_path / "here", None, lambda epoch: None, 1, 1)
    here, there = (read_table(path / "scores.csv", "scores") for path in (tmp_path / "here", store.path("aaaa")))
    assert here["image_id"].equals(there["image_id"])
    np.testing.assert_allclose(here["score"], there["score"], atol=1e-5)
