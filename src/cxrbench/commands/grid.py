"""``cxrbench grid``: how far the training grid is, and what its store may give back."""

import argparse
import math
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from cxrbench.config.params import Params
    from cxrbench.config.studies import PlannedRun
    from cxrbench.runs.overview import Overview
    from cxrbench.runs.store import RunStore

GRID = """\
Shows where the runs of params.yaml stand, study by study: done, diverged (done too, but its loss left the finite
numbers), running (a living process has claimed it), failed (tried twice; the next 'dvc repro' tries it again), missing.

With --export it writes the missing runs into a new folder for another machine, and with --import it brings those that
were trained there into the store.

With --prune it frees what is not needed any more: runs that neither params.yaml asks for, nor a commit or a DVC
experiment of the last days refers to, and that no grid has used since; and decoded images as old. It says first what
would go.
"""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command to the command line."""
    grid = commands.add_parser(
        "grid",
        help="how far training is; free what no experiment uses",
        description=GRID,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    grid.add_argument("--export", metavar="FOLDER", type=Path, help="write the missing runs for another machine")
    grid.add_argument("--import", dest="imported", metavar="FOLDER", type=Path, help="bring its finished runs back")
    grid.add_argument("--prune", action="store_true", help="remove runs and arrays that nothing uses, after asking")
    grid.add_argument("--days", type=_days, default=30.0, help="what counts as recent (default: 30)")
    grid.add_argument("--yes", action="store_true", help="remove without asking")
    grid.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """The exit code of the command with these options."""
    from cxrbench.base.machine import processes
    from cxrbench.base.workspace import run_store_dir
    from cxrbench.runs.overview import overview
    from cxrbench.runs.plan import fingerprints
    from cxrbench.runs.store import RunStore

    params, planned, assignment = _planned()
    names, store = fingerprints(planned, assignment), RunStore(run_store_dir())
    if options.prune:
        return _prune(store, {*names, *_view_networks(params)}, options.days, options.yes)
    if options.export:
        return _export(params, planned, assignment, store, options.export)
    if options.imported:
        return _import(params, planned, assignment, store, options.imported)
    workers = processes(params.workers)
    print(_shown(overview(planned, names, store, assignment, workers), workers))
    return 0


def _export(
    params: "Params", planned: "list[PlannedRun]", assignment: "pd.DataFrame", store: "RunStore", folder: Path
) -> int:
    from cxrbench.base.workspace import array_cache_dir
    from cxrbench.runs import plan, travel

    jobs = plan.missing_jobs(planned, assignment, store, array_cache_dir(), params.workers)
    free = [job for job in jobs.values() if not set(job.rows["source"]) & params.restricted]
    size = travel.export_jobs(free, folder) if free else 0
    if held := len(jobs) - len(free):
        print(f"{held} runs stay here: their images are of restricted cohorts ({', '.join(sorted(params.restricted))})")
    if free:
        print(f"{len(free)} runs and {_size(size)} of images are in {folder}; README.txt there says how to train them")
    else:
        print("no run to export: every other run is in the store")
    return 0


def _import(
    params: "Params", planned: "list[PlannedRun]", assignment: "pd.DataFrame", store: "RunStore", folder: Path
) -> int:
    from cxrbench.base.workspace import array_cache_dir
    from cxrbench.runs import plan, travel

    jobs = plan.missing_jobs(planned, assignment, store, array_cache_dir(), params.workers)
    imported, unasked = travel.import_runs(folder, jobs, store)
    print(f"{len(imported)} of {len(jobs)} missing runs imported from {folder}; 'dvc repro' trains the rest")
    if unasked:
        print(f"{len(unasked)} runs there are in none of the studies of params.yaml, and were not imported")
    return 0


def _planned() -> "tuple[Params, list[PlannedRun], pd.DataFrame]":
    """params.yaml, the runs that its studies ask for and the images that they have."""
    from cxrbench.base.assignment import read_assignment
    from cxrbench.config import params as parameters
    from cxrbench.config.studies import split_runnable
    from cxrbench.training import backend

    params = parameters.load()
    backend.choose(params.backend)
    assignment = read_assignment()
    return params, split_runnable(params.planned_runs(), assignment)[0], assignment


def _view_networks(params: "Params") -> list[str]:
    """The runs that view-filter asks for, by the images that it drew."""
    from cxrbench.base.tables import read_table
    from cxrbench.config.studies import PlannedRun
    from cxrbench.runs.plan import fingerprints

    table = Path("data/view-filter/assignment.csv")
    if not table.is_file():
        return []
    runs = [PlannedRun("view-network", "base", params.views.setting, seed) for seed in params.seeds]
    return fingerprints(runs, read_table(table, "assignment"))


def _shown(found: "Overview", workers: int) -> str:
    """The overview as text."""
    table = found.table.assign(left=[_duration(seconds) for seconds in found.table["seconds"]])
    lines = [table.drop(columns="seconds").to_string(index=False)]
    for title, note in found.running:
        since = _duration(max(0.0, time.time() - note["since"])) if "since" in note else "a moment"  # clocks jump
        lines.append(f"running: {title}: process {note.get('pid', '?')} on {note.get('host', '?')}, for {since}")
    for title, note in found.failed:
        lines.append(f"failed: {title}: {note['reason']}\n  its traceback: {note['record']}")
    if found.table["seconds"].iloc[-1] or found.unknown:
        lines.append(
            f"left: estimated from the training times of recorded runs of the same model, image size and, where there"
            f" are any, batch size on this machine, {workers} side by side; a running one counts whole"
        )
    if found.unknown:
        lines.append(f"{found.unknown} runs are like none that was recorded on this machine, and are not counted in it")
    return "\n".join(lines)


def _prune(store: "RunStore", keep: set[str], days: float, yes: bool) -> int:
    from cxrbench.base.workspace import array_cache_dir, workspace_root
    from cxrbench.runs import prune, references

    referred, unknown = references.referred(workspace_root(), days)
    store.tidy()
    chosen = prune.prunable(store, array_cache_dir(), keep | referred, days)
    for one in chosen:
        used = time.strftime("%Y-%m-%d", time.localtime(one.used))
        print(f"{one.name}  {_size(one.bytes):>8}  last used {used}  {one.what}")
    if unknown:
        print(
            f"DVC's cache no longer holds {unknown} outputs of recent commits, so the runs that they name are unknown;"
            f" what was used in the last {days:g} days stays all the same"
        )
    if not chosen:
        print(f"nothing to free: all was used in the last {days:g} days or is asked for")
        return 0
    print(f"{len(chosen)} entries, {_size(sum(one.bytes for one in chosen))}")
    if not yes and not _agreed():
        print("nothing was removed; --yes removes without asking", file=sys.stderr)
        return 1
    freed, stayed = prune.remove(store, chosen)
    print(f"{_size(freed)} freed" + (f"; {len(stayed)} entries stay, a process uses them now" if stayed else ""))
    return 0


def _agreed() -> bool:
    try:
        return input("remove them? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False


def _duration(seconds: float) -> str:
    if math.isnan(seconds):
        return "unknown"
    if seconds < 600:
        return f"{seconds:,.0f} s"
    return f"{seconds / 60:,.0f} min" if seconds < 36000 else f"{seconds / 3600:,.1f} h"


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:,.1f} MB" if size_bytes < 1e9 else f"{size_bytes / 1e9:,.1f} GB"


def _days(text: str) -> float:
    try:
        days = float(text)
    except ValueError:
        days = math.nan
    if not 0 <= days < 36500:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of days")
    return days
