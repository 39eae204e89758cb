"""``cxrbench pack``: the finished experiment of this workspace as a result set."""

import argparse
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from cxrbench.config.params import Params

PACK = """\
Writes what the present report is made from into a new folder of small files: settings, the score of every image by
every run, histories, records with hardware and versions, the tables of the split, and the report itself. No image and
no path is in it, and an experiment with a restricted cohort is refused. 'cxrbench report --from' reads it anywhere.

--with adds the runs of other seeds from another such folder: one that was made before, or on another machine. They are
taken only if this workspace would train the very same runs.
"""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command to the command line."""
    pack = commands.add_parser(
        "pack",
        help="write a finished experiment as a folder of small files",
        description=PACK,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    pack.add_argument("folder", metavar="FOLDER", type=Path, help="a new one, such as results/NAME")
    pack.add_argument("--with", dest="other", metavar="OTHER", type=Path, help="a folder whose seeds are added")
    pack.add_argument("--made-by", metavar="COMMAND", default="dvc repro", help="what made it (default: %(default)s)")
    pack.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """The exit code of the command with these options."""
    from cxrbench.base.commit import commit
    from cxrbench.base.files import folder_when_whole
    from cxrbench.config import params as parameters
    from cxrbench.published import papers
    from cxrbench.reporting.context import context_of, rules_of
    from cxrbench.reporting.joined import joined
    from cxrbench.reporting.pack import of_seeds, read_pack, refuse_filled, write_pack
    from cxrbench.reporting.report import write_report
    from cxrbench.reporting.results import read_results

    params, text = parameters.load(), Path("params.yaml").read_text(encoding="utf-8")
    rules = rules_of(params.report)
    revision, changed = commit(Path.cwd())
    context = dataclasses.replace(context_of(params), command=options.made_by, commit=revision, changed=changed)
    refuse_filled(options.folder)
    results = read_results(Path("data"))
    if options.other:
        other, _, _ = read_pack(options.other)
        seeds = sorted({*results.seeds, *other.seeds})
        results = joined(results, other, str(options.other), _grid(params, seeds))
        text = of_seeds(text, seeds)
    with folder_when_whole(options.folder) as unfinished:
        write_pack(unfinished, results, context, rules, text)
        results, context, rules = read_pack(unfinished)
        write_report(unfinished / "report", results, papers.load("data/published"), context, rules)
    size = sum(path.stat().st_size for path in options.folder.rglob("*") if path.is_file())
    print(f"{len(results.runs)} runs and their report are in {options.folder}, {size / 1e6:.1f} MB")
    return 0


def _grid(params: "Params", seeds: list[int]) -> "pd.DataFrame":
    """The table 'grid' of these seeds, by what would be trained in this workspace."""
    from cxrbench.base.assignment import read_assignment
    from cxrbench.config.studies import split_runnable
    from cxrbench.runs.outputs import grid_table
    from cxrbench.training import backend

    backend.choose(params.backend)
    assignment = read_assignment()
    planned, _ = split_runnable(params.model_copy(update={"seeds": tuple(seeds)}).planned_runs(), assignment)
    return grid_table(planned, assignment)
