"""A clock that jumps by years while runs are trained, and files of other years: no run is lost or trained again."""

import os
import sqlite3
import time
from pathlib import Path

from tests.torture.study import OUTPUTS

JUMPING = Path(__file__).parent / "jumping"
NOT_BEFORE = "select count(*) from runs where end_time is not null and end_time < start_time"


def test_a_clock_that_jumps_by_years_during_training_changes_no_score(study, finished, tried):
    study.forget_runs()
    path = os.pathsep.join(filter(None, [str(JUMPING), os.environ.get("PYTHONPATH")]))
    study.run("stage:train_grid", PYTHONPATH=path)
    assert study.content("data/train-grid") == finished.content("data/train-grid")
    with sqlite3.connect(study.folder / "mlruns" / "mlflow.db") as base:
        ended, wrong = base.execute("select count(end_time) from runs").fetchone(), base.execute(NOT_BEFORE).fetchone()
    assert ended[0] >= 4
    assert wrong == (0,)
    told = study.run("cxrbench", "grid", PYTHONPATH=path)
    assert " -" not in told
    tried("two years back and forth, every two seconds", 1, "")


def test_files_from_the_future_or_of_1970_lose_no_run(study, finished, tried):
    years = {"1970": 0.0, "in ten years": time.time() + 10 * 365 * 86400}
    for when in years.values():
        for path in (study.folder / ".cxrbench").rglob("*"):
            os.utime(path, (when, when))
        pruned = study.run("cxrbench", "grid", "--prune", "--yes", "--days", "30")
        assert "seed" not in pruned  # runs are told with it; arrays may go
        study.forget("data/train-grid")
        told = study.run("stage:train_grid")
        assert "4 in the store, 0 to train" in told
        assert study.content(*OUTPUTS["train_grid"]) == finished.content(*OUTPUTS["train_grid"])
    tried("pruned, and asked for again", len(years), pruned)
