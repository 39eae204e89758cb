"""A small form of benchmarks/coverage.py: in studies of known truth, intervals hold it and few verdicts are false."""

import math

import numpy as np
import pytest

from cxrbench.evaluation.metrics import evaluate

STUDIES = 150
SLACK = 0.04  # two standard errors of a share of 0.05 in so many studies


@pytest.fixture(scope="module")
def coverage(benchmark_module):
    return benchmark_module("coverage")


@pytest.mark.slow
@pytest.mark.parametrize("world", ["500 images, 60 % ill", "500 images of 167 patients", "500 images, 5 % ill"])
def test_an_interval_of_three_seeds_holds_the_true_difference(coverage, world):
    share, width = coverage.coverage("accuracy", 3, coverage.WORLDS[world], STUDIES)
    print(f"{world}: {100 * share:.1f} % of the intervals hold the truth, median width {width:.3f}")
    assert share >= 0.95 - SLACK


@pytest.mark.slow
@pytest.mark.parametrize("family", ["better", "best and equal"])
@pytest.mark.parametrize("truths", ["no difference", "at both edges"])
def test_a_false_verdict_in_a_study_is_rare(coverage, family, truths):
    shares = coverage.false_verdicts(5, 3, coverage.TRUTHS[truths], STUDIES, family=family, margin=0.05)
    print(f"{family}, {truths}: supported, contradicted, no weight, any: {shares}")
    assert shares[-1] <= 0.05 + SLACK


def test_the_truth_by_quadrature_is_what_very_many_images_and_seeds_show(coverage):
    rng = np.random.default_rng(0)
    apart, world, studies = coverage.distance_of(0.93), coverage.World(images=4_000, ill=0.3), 300
    runs = [coverage.draw(world, [apart], 1, rng)["setting 0"][0].scores["test"] for _ in range(studies)]
    values = [evaluate(run.target, run.score)[1] for run in runs]
    for metric in coverage.METRICS:
        shown = [value[metric] for value in values]
        error = np.std(shown, ddof=1) / math.sqrt(studies)
        assert coverage.truth(metric, apart, world.ill) == pytest.approx(np.mean(shown), abs=4 * error), metric


@pytest.mark.parametrize(("metric", "value"), [("accuracy", 0.93), ("accuracy", 0.78), ("auc", 0.97)])
def test_the_distance_of_a_value_gives_that_value(coverage, metric, value):
    assert coverage.truth(metric, coverage.distance_of(value, metric), 0.3) == pytest.approx(value, abs=1e-9)
