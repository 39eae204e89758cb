"""evaluate: per-image scores -> data/evaluate/metrics.csv, a row for each study, setting, seed and part.

The scores are checked first; a critical failure (a run that lost images, say) stops here, before any metric. Then
attention.csv: where the best network of each study looks, as far as the run store holds it.
"""

from pathlib import Path

from cxrbench.attention.studies import write_attention
from cxrbench.base.assignment import read_assignment
from cxrbench.base.entry import run
from cxrbench.base.tables import read_table, write_table
from cxrbench.base.workspace import run_store_dir
from cxrbench.checks import verdict
from cxrbench.checks.scores import check_scores
from cxrbench.config import params as parameters
from cxrbench.evaluation.runs import metric_table, read_grid
from cxrbench.evaluation.study_settings import read_settings

OUT = Path("data/evaluate")


def main() -> None:
    folder, restricted = Path("data/train-grid"), parameters.load().restricted
    grid = read_table(folder / "grid.csv", "grid")
    runs = read_grid(grid, folder)
    assignment = read_assignment()
    verdict.conclude(check_scores(grid, runs, assignment, OUT / "docs"), OUT)
    metrics = metric_table(grid, runs)
    write_table(OUT / "metrics.csv", metrics, "metrics")
    settings, store = read_settings(folder / "settings.json"), run_store_dir()
    write_attention(OUT, settings, metrics, runs, assignment, restricted, lambda run: store / run / "model.keras")


if __name__ == "__main__":
    run(main)
