"""A byte changed, or half a file cut off: it is noticed and made again, or a sentence says what to do."""

import random
import shutil

import pytest

from tests.torture.study import error_of


def flip(path):
    held = bytearray(path.read_bytes())
    held[len(held) // 2] ^= 0x10
    path.write_bytes(held)


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


HARMS = (flip, cut)
OUTPUTS = ("data/download", "data/view-filter", "data/split", "data/train-grid", "data/evaluate", "reports")
TABLES = {  # a table -> the stage that reads it
    "data/download/manifest.csv": "stage:split",
    "data/split/assignment.csv": "stage:train_grid",
    "data/evaluate/metrics.csv": "stage:report",
}


def runs_of(study):
    return sorted(path.name for path in (study.folder / "data/train-grid").glob("*/"))


@pytest.mark.parametrize("harm", HARMS)
def test_a_damaged_store_image_or_array_is_noticed_and_made_again(harm, study, finished, tried):
    runs = runs_of(study)
    damaged = [f".cxrbench/runs/{run}/{name}"
               for run, name in zip(runs, ("scores.csv", "model.keras", "run.json", "checksums.json"))]  # fmt: skip
    study.forget("data/train-grid")
    for name in damaged:
        harm(study.folder / name)
    (study.folder / f".cxrbench/runs/.{runs[0]}.checkpoint.npz").write_bytes(b"half")
    arrays = sorted((study.folder / ".cxrbench/arrays").glob("*.npy"))
    for array in arrays:
        harm(array)
    told = study.run("stage:train_grid")
    assert told.count("is damaged; it is trained again") == len(damaged)
    assert "is damaged; it is made again" in told
    assert study.content("data/train-grid") == finished.content("data/train-grid")
    images = random.Random(0).sample(sorted((study.folder / ".cxrbench/phantoms").rglob("*.jpg")), 3)
    for image in images:
        harm(image)
    study.run("stage:download")
    assert study.content("data/download", ".cxrbench/phantoms") == finished.content(
        "data/download", ".cxrbench/phantoms"
    )
    what = "a byte of each is changed" if harm is flip else "half of each is cut off"
    tried(what, len(damaged) + 1 + len(arrays) + len(images), "run ... is damaged; it is trained again")


@pytest.mark.parametrize("harm", HARMS)
def test_damaged_outputs_are_restored_by_dvc_repro(harm, study, finished, tried):
    files = [file for name in OUTPUTS for file in sorted((study.folder / name).rglob("*"))
             if file.is_file() and file.stat().st_size > 1]  # fmt: skip
    for file in files:
        harm(file)
    study.run("dvc", "repro")
    assert study.content(*OUTPUTS) == finished.content(*OUTPUTS)
    tried("a byte of each is changed" if harm is flip else "half of each is cut off", len(files), "")


def test_half_a_table_is_one_sentence_of_the_stage_that_reads_it(study, tried):
    told = []
    for table, stage in TABLES.items():
        whole = (study.folder / table).read_bytes()
        (study.folder / table).write_bytes(whole[: len(whole) // 2 - 7])
        code, said = study.ended(stage)
        assert code == 1, said
        told.append(error_of(said))
        (study.folder / table).write_bytes(whole)
    tried("without DVC, which would restore it", len(TABLES), told[0])


def test_a_damaged_view_network_or_result_set_is_one_sentence(study, tried):
    told = []
    study.run("cxrbench", "pack", "packed")
    for path, words in (
        ("data/view-filter/model.keras", "cxrbench views .cxrbench/phantoms --out views.csv"),
        ("packed/scores-0.csv.gz", "cxrbench report --from packed --to again"),
        ("packed/records.json", "cxrbench report --from packed --to again"),
        ("packed/pack.json", "cxrbench report --from packed --to again"),
    ):
        for harm in HARMS:
            whole = (study.folder / path).read_bytes()
            harm(study.folder / path)
            code, said = study.ended(words)
            assert code == 1, said
            told.append(error_of(said))
            (study.folder / path).write_bytes(whole)
    tried("a byte, or half of it", len(told), told[0])


def test_a_damaged_mlflow_database_costs_no_training_and_track_makes_it_anew(study, finished, tried):
    study.run("cxrbench", "track")
    base, said = study.folder / "mlruns" / "mlflow.db", []
    whole = base.read_bytes()
    for damaged in (whole[: len(whole) // 2], b"no database" * 500, b""):
        base.write_bytes(damaged)
        study.forget("data/train-grid")
        told = study.run("stage:train_grid")
        said += [line for line in told.splitlines() if "not logged" in line]
        assert study.content("data/train-grid") == finished.content("data/train-grid")
    assert said
    shutil.rmtree(study.folder / "mlruns")
    assert "4 runs logged to" in study.run("cxrbench", "track")
    tried("cut, overwritten, emptied", 3, said[0])
