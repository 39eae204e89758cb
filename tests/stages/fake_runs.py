"""Trained runs as files alone, for stages that read what training wrote."""

import json

import numpy as np
import pandas as pd

from cxrbench.base.assignment import column_of
from cxrbench.base.tables import TABLES, write_table
from cxrbench.runs import plan


def write(store, run, cell, assignment, accuracy):
    """Commits a run whose scores are right for about ``accuracy`` of its images."""
    split = column_of(cell.setting.protocol, cell.setting.redraw, cell.seed)
    rows = plan.select(assignment, cell.setting.cohort, split)
    scored = rows[rows["part"] != "train"]
    right = np.arange(len(scored)) < round(accuracy * len(scored))
    score = np.where(right == (scored["target"] == 1), 0.9, 0.1)
    folder = store.begin(run)
    write_table(folder / "scores.csv", scored.assign(score=score)[list(TABLES["scores"])], "scores")
    history = pd.DataFrame([(1, 0.6, 0.7, 0.5, accuracy, 2.0)], columns=list(TABLES["history"]))
    write_table(folder / "history.csv", history, "history")
    (folder / "model.keras").write_text(f"model of {run}")
    record = {
        "run": run, "setting": cell.setting.model_dump(), "seed": cell.seed, "status": "ok", "parameters": 1,
        "epochs_done": 1, "checkpoint_epoch": 1, "first_epoch_seconds": 2.0, "epoch_seconds": 2.0, "train_seconds": 3.0,
        "data": {"sha256": "d", "train": 1},
        "environment": {"python": "3", "keras": "3.15.1", "backend": "tensorflow", "tensorflow": "2.21.0"},
    }  # fmt: skip
    (folder / "run.json").write_text(json.dumps(record))
    store.commit(run, folder)
