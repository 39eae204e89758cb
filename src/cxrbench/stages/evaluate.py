"""evaluate: per-image scores -> data/evaluate/metrics.csv, a row for each study, setting, seed and part.

The scores are checked first; a critical failure (a run that lost images, say) stops here, before any metric.
"""

from pathlib import Path

from cxrbench.base.entry import run
from cxrbench.base.tables import read_table, write_table
from cxrbench.checks import verdict
from cxrbench.checks.scores import check_scores
from cxrbench.evaluation.runs import metric_table, read_grid

OUT = Path("data/evaluate")


def main() -> None:
    folder = Path("data/train-grid")
    grid = read_table(folder / "grid.csv", "grid")
    runs = read_grid(grid, folder)
    assignment = read_table("data/split/assignment.csv", "assignment")
    verdict.conclude(check_scores(grid, runs, assignment, OUT / "docs"), OUT)
    write_table(OUT / "metrics.csv", metric_table(grid, runs), "metrics")


if __name__ == "__main__":
    run(main)
