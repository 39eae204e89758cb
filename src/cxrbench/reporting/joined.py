"""Results and those of other seeds as one: what was trained before, or on another machine, is not trained again."""

import contextlib
import dataclasses
from collections.abc import Collection, Sequence

import pandas as pd

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.origins import Origin
from cxrbench.evaluation.chosen import choose
from cxrbench.evaluation.runs import metric_table
from cxrbench.reporting.results import Results


def joined(here: Results, other: Results, name: str, grid: pd.DataFrame) -> Results:
    """``here`` with the runs of ``other``, which its reader calls ``name``.

    ``grid`` is the table 'grid' of the seeds of both, by what would be trained here; so a run of ``other`` under one of
    its fingerprints had the same code, versions, settings and images. Tables of the data stages are those of
    ``here``. Of the attention stays what is of the best network of both.

    Raises CxrbenchError where a run of the grid is in neither.
    """
    runs = {**other.runs, **here.runs}
    if not (missing := grid[~grid["run"].isin(runs)]).empty:
        own_first = missing.sort_values("seed", key=lambda seeds: ~seeds.isin(here.seeds), kind="stable")
        raise CxrbenchError(_not_there(own_first.iloc[0], here, other, name))
    runs = {run: runs[run] for run in dict.fromkeys(grid["run"])}
    metrics = metric_table(grid, runs)
    histories = {**other.histories, **here.histories}
    attention = pd.concat([here.attention, other.attention], ignore_index=True)
    return dataclasses.replace(
        here,
        grid=grid,
        runs=runs,
        histories={run: histories[run] for run in runs},
        metrics=metrics,
        attention=_of_the_best(attention, here, metrics),
        origins=[*_of(other.origins, runs.keys() - here.runs.keys()), *here.origins],
    )


def _of(origins: Sequence[Origin], runs: Collection[str]) -> list[Origin]:
    """The origins of these runs alone."""
    kept = [dataclasses.replace(one, runs=[run for run in one.runs if run in runs]) for one in origins]
    return [one for one in kept if one.runs]


def _of_the_best(attention: pd.DataFrame, here: Results, metrics: pd.DataFrame) -> pd.DataFrame:
    """The rows of the best network of each study, whichever study they were of; says of which there are none."""
    looked_at = list(dict.fromkeys(attention["study"]))
    found = {}
    for study in looked_at:
        with contextlib.suppress(CxrbenchError):  # it has no winner
            won = choose(study, here.settings, metrics)
            of_run = attention[attention["run"] == won.runs[won.best]].drop_duplicates(["source", "image_id"])
            if not of_run.empty:
                found[study] = of_run.assign(study=study, setting=won.label, seed=won.best)
    if without := [study for study in looked_at if study not in found]:
        print(f"no Grad-CAM of {', '.join(without)}: none was computed of the best network of all seeds")
    return pd.concat([attention.iloc[:0], *found.values()], ignore_index=True)


def _not_there(wanted: pd.Series, here: Results, other: Results, name: str) -> str:
    """Why a row of the grid stops the joining, and what to do."""
    which = f"study {wanted['study']}, {wanted['setting']}, seed {wanted['seed']}"
    if wanted["seed"] in here.seeds:
        return f"params.yaml or the code changed since this workspace trained {which}; run 'dvc repro' first"
    cell = ["study", "setting", "seed"]
    found = other.grid.loc[(other.grid[cell] == wanted[cell]).all(axis=1), "run"]
    if found.empty:
        return f"{name} holds no run of {which}, which this workspace asks for; the two need the same studies"
    commits = " or ".join(sorted({one.commit[:10] for one in other.origins if one.commit}))
    return (
        f"{name} can't be added: its run of {which} is {found.iloc[0]}, and this workspace would train {wanted['run']},"
        f" so code, versions, settings or images differ; train here with the code of {commits or 'that set'}"
    )
