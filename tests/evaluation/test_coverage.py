"""A small form of benchmarks/coverage.py: in studies of known truth, intervals hold it and few relations are false."""

import importlib.util
import sys
from pathlib import Path

import pytest

STUDIES = 150
SLACK = 0.04  # two standard errors of a share of 0.05 in so many studies


@pytest.fixture(scope="module")
def coverage():
    """The benchmark as a module."""
    path = Path(__file__).resolve().parents[2] / "benchmarks" / "coverage.py"
    found = importlib.util.spec_from_file_location("coverage_benchmark", path)
    module = importlib.util.module_from_spec(found)
    sys.modules[found.name] = module  # where dataclasses look for it
    found.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.parametrize("world", ["500 images, 60 % ill", "500 images of 167 patients", "500 images, 5 % ill"])
def test_an_interval_of_three_seeds_holds_the_true_difference(coverage, world):
    share, width = coverage.coverage("accuracy", 3, coverage.WORLDS[world], STUDIES)
    print(f"{world}: {100 * share:.1f} % of the intervals hold the truth, median width {width:.3f}")
    assert share >= 0.95 - SLACK


@pytest.mark.slow
@pytest.mark.parametrize("truths", ["no difference", "at its edges"])
def test_any_false_relation_in_a_study_is_rare(coverage, truths):
    above, below, inside, any_false = coverage.false_relations(5, 3, coverage.TRUTHS[truths], STUDIES)
    print(f"{truths}: above {above:.3f}, below {below:.3f}, inside {inside:.3f}, any {any_false:.3f}")
    assert any_false <= 0.05 + SLACK
