"""``cxrbench consistency``: which figures of a published table no runs can have."""

import argparse
from pathlib import Path

CONSISTENCY = """\
Checks the tables of a paper by arithmetic alone: which printed accuracies, recalls, specificities, precisions and F1
scores, rounded as printed, can come from runs on that many images, alone and beside the other figures of their row.
The search is exact, so 'cannot' is a proof. Nothing of ours is trained or read.

FILE has the form of the files in data/published; a table is checked where it says 'images: {negative: 200, positive:
300, runs: 3}': so many images of each class, and a mean over so many runs. Of 'images: {all: 500, runs: 3}', where the
number of each class is not known, the accuracy alone is checked.
"""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command to the command line."""
    consistency = commands.add_parser(
        "consistency",
        help="check a published table by arithmetic",
        description=CONSISTENCY,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    consistency.add_argument("file", metavar="FILE", type=Path, help="a paper as YAML, such as data/published/x.yaml")
    consistency.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """The exit code of the command with these options: 0 also where figures are impossible."""
    from cxrbench.published.consistency import check, sentence
    from cxrbench.published.counts import METRICS
    from cxrbench.published.papers import read

    paper = read(options.file)
    found = check(paper.tables)
    for one in found.impossible:
        print(sentence(one))
    for table, row, metrics in found.undecided:
        print(f"{table}, {row}: {', '.join(metrics)} together leave too many counts to search; not decided.")
    for one_table in paper.tables:
        printed = {metric for figures in one_table.rows.values() for metric in figures} & set(METRICS)
        left = sorted(printed - set(one_table.images.metrics)) if one_table.images else []
        if left:
            what = f"{one_table.name or 'A table'}: {', '.join(left)} not checked"
            print(f"{what}, since it does not say how many images a class has.")
    silent = [table.name or "a table" for table in paper.tables if table.images is None]
    if silent:
        print(f"Not checked, since they do not say on how many images: {', '.join(silent)}.")
    print(f"{found.figures} figures checked, {len(found.impossible)} impossible alone or beside others.")
    return 0
