import shutil

import pytest

from cxrbench.errors import CxrbenchError
from cxrbench.manifest import read_table
from cxrbench.stages import evaluate


def test_evaluate_writes_a_row_for_each_cell_and_part_and_the_same_bytes_again(simulated_workspace):
    evaluate.main()
    path = simulated_workspace / "data/evaluate/metrics.csv"
    first = path.read_bytes()
    table, grid = read_table(path, "metrics"), read_table("data/train-grid/grid.csv", "grid")
    views = (grid["study"] == "view-network").sum()
    assert len(table) == 2 * len(grid) - views
    assert set(table["status"]) == {"ok", "degenerate", "diverged"}
    evaluate.main()
    assert path.read_bytes() == first


def test_evaluate_names_a_run_whose_folder_is_gone(simulated_workspace):
    shutil.rmtree(simulated_workspace / "data/train-grid/reference-1")
    with pytest.raises(CxrbenchError, match="run reference-1 has no"):
        evaluate.main()
