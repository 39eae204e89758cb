"""Claims on times: compared only where nothing but the setting makes them differ."""

import dataclasses
import math

import pytest

from tests.evaluation.test_verdicts import ALONE, one_claim, run_of, runs_of, word


def test_a_short_epoch_is_the_better_one():
    study = {
        "a": [run_of(0.9, seed, seconds=1 + seed / 100) for seed in range(3)],
        "b": [run_of(0.9, seed, seconds=2 + seed / 100) for seed in range(3)],
    }
    assert word(one_claim(metric="epoch_seconds"), study).verdict == "supported"
    assert word(one_claim("value", ("a",), (), (0.95, 1.1), "epoch_seconds"), study).verdict == "supported"
    assert word(one_claim("value", ("b",), (), (0.95, 1.1), "epoch_seconds"), study).verdict == "contradicted"


def test_the_first_epoch_is_judged_by_its_own_time():
    study = {name: [run_of(0.9, seed, seconds=1 + seed / 100) for seed in range(3)] for name in "ab"}
    for run in study["a"]:
        run.seconds["first_epoch_seconds"] *= 2
    verdict = word(one_claim(metric="first_epoch_seconds"), study)
    assert (verdict.verdict, verdict.decisive.value) == ("contradicted", pytest.approx(-math.log(2)))


@pytest.mark.parametrize(
    ("of_b", "reason"),
    [
        (None, "Not comparable: 3 of 6 runs do not record on which machine and beside how many others they trained."),
        ({"machine": "other"}, "Not comparable: the runs were not timed alike (machine: one machine and other)."),
        ({"threads": 4}, "Not comparable: the runs were not timed alike (threads: 2 and 4)."),
        ({"workers": 1}, "Not comparable: the runs were not timed alike (workers: 1 and 2)."),
        ({"alone": False}, "Not comparable: the runs were not timed alike (alone: False and True)."),
    ],
)
def test_times_that_depend_on_more_than_the_setting_are_not_compared(of_b, reason):
    timing = None if of_b is None else dataclasses.replace(ALONE, **of_b)
    study = {"a": runs_of(0.9, 0.9, 0.9), "b": runs_of(0.9, 0.9, 0.9, seconds=9.0, timing=timing)}
    verdict = word(one_claim(metric="epoch_seconds"), study)
    assert (verdict.verdict, verdict.reason, verdict.decisive) == ("not tested", reason, None)
    assert word(one_claim(metric="accuracy"), study).verdict == "undecided"


def test_times_of_runs_that_shared_the_cores_are_not_compared_and_of_single_ones_are():
    def judged(workers):
        timing = dataclasses.replace(ALONE, workers=workers, alone=False)
        made = {"a": [1.0, 1.01, 1.02], "b": [9.0, 9.1, 9.2]}
        study = {
            name: [run_of(0.9, seed, seconds=one, timing=timing) for seed, one in enumerate(seconds)]
            for name, seconds in made.items()
        }
        return word(one_claim(metric="epoch_seconds"), study)

    assert judged(1).verdict == "supported"
    assert judged(2).reason == "Not comparable: 2 runs were trained side by side and shared the processor's cores."
