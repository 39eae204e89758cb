"""Each number of seeds that decides something stands with its command and the time of the new runs alone."""

import math
from types import SimpleNamespace

import pytest

from cxrbench.evaluation.verdicts import Claim, Verdict
from cxrbench.reporting.more_seeds import more_seeds


def verdict(name, seeds, word="undecided"):
    claim = Claim(name, "s", "A beats B", "best", "accuracy", "test", ("a",), ("b",))
    return Verdict(claim, word, "Because.", 3, None, seeds)


def results(seeds=(0, 1, 2), hours=1.0):
    """What more_seeds reads: each seed trained for so many hours in all."""
    return SimpleNamespace(seeds=list(seeds), runs={seed: ({"train_seconds": 3600 * hours}, None) for seed in seeds})


def test_a_row_for_each_number_of_seeds_with_all_claims_that_it_decides():
    table = more_seeds([verdict("later", 8.0), verdict("soon", 5.0), verdict("never", math.inf)], results())
    assert table.rows == [
        ["5", "soon", "dvc exp run -S 'seeds=[0, 1, 2, 3, 4]'", "2.0 h"],
        ["8", "later, soon", "dvc exp run -S 'seeds=[0, 1, 2, 3, 4, 5, 6, 7]'", "5.0 h"],
    ]


def test_present_seeds_stay_whatever_they_are_since_their_runs_are_there():
    table = more_seeds([verdict("soon", 4.0)], results(seeds=(1, 7), hours=0.01))
    assert table.rows[0][2:] == ["dvc exp run -S 'seeds=[1, 7, 0, 2]'", "1 min"]


@pytest.mark.parametrize("one", [verdict("a", math.nan), verdict("a", 31.0), verdict("a", 5.0, "supported")])
def test_no_table_where_no_number_of_seeds_decides(one):
    assert more_seeds([one], results()) is None
