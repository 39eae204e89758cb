"""Stage split: gives every labelled frontal image its part under each protocol, and reports leaks and shortcuts."""

from pathlib import Path

from cxrbench.base.entry import run
from cxrbench.base.machine import processes
from cxrbench.base.tables import read_table, write_table
from cxrbench.base.workspace import array_cache_dir
from cxrbench.config import params as parameters
from cxrbench.splits.division import divide

OUT = Path("data/split")


def main() -> None:
    params = parameters.load()
    split = params.split
    images = read_table("data/download/manifest.csv", "manifest")
    division = divide(
        images[images["cohort"].isin([*split.quotas, *params.views.quotas])],
        read_table("data/view-filter/manifest.csv", "frontal"),
        read_table("data/view-filter/assignment.csv", "assignment"),
        params.quotas(),
        split.patients,
        split.official_shortfall,
        split.seed,
        array_cache_dir(),
        processes(params.workers),
        params.redrawn_seeds,
    )
    print("\n".join(division.lines))
    for table in ("duplicates", "leaks", "shortcuts", "redrawn", "redrawn_leaks", "assignment"):
        write_table(OUT / f"{table}.csv", getattr(division, table), table)


if __name__ == "__main__":
    run(main)
