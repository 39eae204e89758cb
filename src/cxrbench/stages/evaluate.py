"""evaluate: per-image scores -> data/evaluate/metrics.csv, a row for each study, setting, seed and part."""

from pathlib import Path

from cxrbench.evaluation.runs import metric_table, read_grid
from cxrbench.manifest import read_table, write_table
from cxrbench.stages.entry import run


def main() -> None:
    folder = Path("data/train-grid")
    grid = read_table(folder / "grid.csv", "grid")
    write_table("data/evaluate/metrics.csv", metric_table(grid, read_grid(grid, folder)), "metrics")


if __name__ == "__main__":
    run(main)
