"""What must hold of the per-image scores before a metric is computed: every run scored its images, and no others.

All runs are laid under each other, each beside the images that its protocol asks for, so that one validation judges
them all and an image that a run lost is a row with a name.
"""

from pathlib import Path
from typing import Any

import pandas as pd

from cxrbench.base.assignment import column_of, need
from cxrbench.checks import expect
from cxrbench.checks.outcome import Outcome
from cxrbench.checks.run import run_checks

SCORED_PARTS = ("validation", "test")
FOUND = {"left_only": "missing", "both": "scored", "right_only": "unasked"}
Runs = dict[str, tuple[dict[str, Any], pd.DataFrame]]  # run -> its record and its scores


def check_scores(
    grid: pd.DataFrame, runs: Runs, assignment: pd.DataFrame, docs_dir: Path | None = None
) -> list[Outcome]:
    """One Outcome a check; ``docs_dir`` gets index.html and a page a table."""
    return run_checks(tables(grid, runs, assignment), suites(), "Checks of the scores", docs_dir)


def tables(grid: pd.DataFrame, runs: Runs, assignment: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """'scores': a row for each image that a run scored or should have. 'runs': a row a run.

    A run goes by the first cell of the grid that it answers. ``found`` is scored, missing (asked for, without a
    score) or unasked (scored, not asked for); asked_* is what the assignment says under the run's protocol.
    """
    scored, each = [], []
    for cell in grid.drop_duplicates("run").itertuples(index=False):
        record, scores = runs[str(cell.run)]
        name = f"{cell.study}, {cell.setting}, seed {cell.seed}"
        setting = record["setting"]
        split = column_of(setting["protocol"], setting.get("redraw", False), int(cell.seed))
        asked = _asked(assignment, setting["cohort"], split)
        both = asked.merge(scores, on=["source", "image_id"], how="outer", indicator="found")
        scored.append(both.assign(name=name, status=record["status"], found=both["found"].map(FOUND).astype(str)))
        each.append((name, record["status"], scores["score"].nunique()))
    return {
        "scores": pd.concat(scored, ignore_index=True),
        "runs": pd.DataFrame(each, columns=["name", "status", "distinct_scores"]),
    }


def suites() -> dict[str, list[Any]]:
    ok = {"status": "ok"}
    scores = [
        expect.unique(["name", "source", "image_id"], "no run scores an image twice"),
        expect.in_set("found", ["scored", "unasked"], "every run scores every image of its validation and test"),
        expect.in_set("found", ["scored", "missing"], "no run scores an image outside its validation and test"),
        expect.in_set("part", SCORED_PARTS, "every part is validation or test"),
        expect.equal("part", "asked_part", "every part is the one that the run's protocol gives"),
        expect.in_set("target", [0, 1], "every target is 0 or 1"),
        expect.equal("target", "asked_target", "every target is the assignment's"),
        expect.filled("patient_id", "every scored image has a patient"),
        expect.equal("patient_id", "asked_patient_id", "every patient is the assignment's"),
        expect.known("score", "every image of a run that did not diverge has a score", {**ok, "found": "scored"}),
        expect.between("score", 0, 1, "every score of a run that did not diverge is from 0 to 1", ok),
    ]
    runs = [
        expect.in_set("status", ["ok", "diverged"], "every run is ok or diverged"),
        expect.in_set("status", ["ok"], "no run diverged", severity="warning"),
        expect.between("distinct_scores", 2, None, "no run gives all images one score", ok, "warning"),
    ]
    return {"scores": scores, "runs": runs}


def _asked(assignment: pd.DataFrame, cohort: str, split: str) -> pd.DataFrame:
    """The images that a run of this cohort and split must score."""
    need(assignment, split)
    rows = assignment[(assignment["cohort"] == cohort) & assignment[split].isin(SCORED_PARTS)]
    asked = {split: "asked_part", "target": "asked_target", "patient_id": "asked_patient_id"}
    return rows[["source", "image_id", *asked]].rename(columns=asked)
