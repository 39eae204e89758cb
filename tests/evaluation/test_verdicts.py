import math

import numpy as np
import pytest

from cxrbench.evaluation.comparisons import Contrast, Rules, Run, Timing, compare
from cxrbench.evaluation.resampling import Scores
from cxrbench.evaluation.verdicts import Claim, judge

RULES = Rules(confidence=0.95, margin=0.01, resamples=300, seed=0)


ALONE = Timing("one machine", threads=2, workers=2, alone=True)


def times(seconds):
    return {"first_epoch_seconds": 3 * seconds, "epoch_seconds": seconds}


def run_of(accuracy, seed, n=1000, status="ok", seconds=1.0, timing=ALONE):
    """A run on n images, one a patient, that is right on the first share of them and a few others."""
    target = np.arange(n) % 2
    right = np.arange(n) < round(accuracy * n)
    right = right[np.random.default_rng(9).permutation(n)]
    score = np.where(right, target, 1 - target) * 0.9 + 0.05
    patient = np.array([f"p{i}" for i in range(n)])
    if status == "diverged":
        score = np.full(n, np.nan)
    return Run(seed, {"test": status}, {"test": Scores(patient, target, score)}, times(seconds), timing)


def runs_of(*accuracies, **more):
    return [run_of(accuracy, seed, **more) for seed, accuracy in enumerate(accuracies)]


def one_claim(kind="better", settings=("a",), against=("b",), value=None, metric="accuracy"):
    return Claim("c", "s", "statement", kind, metric, "test", settings, against, value)


def word(claim, study):
    return judge([claim], study, RULES)[0]


CLEAR = {"a": runs_of(0.95, 0.951, 0.952), "b": runs_of(0.85, 0.852, 0.851), "c": runs_of(0.7, 0.701, 0.7)}


def test_a_clear_lead_supports_a_claim_and_contradicts_its_reverse():
    verdict = word(one_claim(), CLEAR)
    assert (verdict.verdict, verdict.runs, verdict.decisive.patients) == ("supported", 3, 1000)
    assert verdict.decisive.value == pytest.approx(0.1)
    assert verdict.decisive.low < 0.1 < verdict.decisive.high
    assert word(one_claim(settings=("b",), against=("a",)), CLEAR).verdict == "contradicted"


def test_the_best_must_beat_every_rival_and_hangs_on_the_strongest():
    verdict = word(one_claim("best", ("a",), ("b", "c")), CLEAR)
    assert (verdict.verdict, verdict.decisive.confidence) == ("supported", 0.95)  # each rival at the claim's own level
    verdict = word(one_claim("best", ("b",), ("c", "a")), CLEAR)
    assert (verdict.verdict, verdict.decisive.confidence) == ("contradicted", 0.975)  # and at a half of it
    assert verdict.decisive.contrast.b == "a"


def test_a_low_loss_is_the_better_one():
    assert word(one_claim(metric="loss"), CLEAR).verdict == "supported"
    assert word(one_claim(metric="mse", settings=("c",), against=("a",)), CLEAR).verdict == "contradicted"


def test_scattering_seeds_leave_a_claim_undecided():
    study = {"a": runs_of(0.99, 0.80, 0.95), "b": runs_of(0.85, 0.852, 0.851)}
    verdict = word(one_claim(), study)
    assert verdict.verdict == "undecided"
    assert "covers the margin" in verdict.reason
    assert 3 < verdict.seeds_needed < 1000
    assert f"About {verdict.seeds_needed:.0f} seeds would decide it." in verdict.reason


def test_where_the_images_alone_leave_a_doubt_more_images_are_asked_for_and_not_more_seeds():
    study = {"a": runs_of(0.8, 0.8, 0.8, n=50), "b": runs_of(0.78, 0.78, 0.78, n=50)}
    verdict = word(one_claim(), study)
    assert (verdict.verdict, verdict.seeds_needed) == ("undecided", math.inf)
    assert verdict.reason.endswith("More test images are needed, not more seeds.")


def test_a_claim_that_may_be_refuted_asks_for_the_seeds_that_refute_it():
    study = {"a": runs_of(0.89, 0.80, 0.85), "b": runs_of(0.95, 0.952, 0.951), "c": runs_of(0.75, 0.751, 0.75)}
    both = word(one_claim("best", ("a",), ("b", "c")), study)
    supportable, refutable = (word(one_claim(against=(other,)), study) for other in "cb")
    assert [one.verdict for one in (both, supportable, refutable)] == ["undecided"] * 3
    assert both.decisive.contrast.b == "b"
    assert both.seeds_needed >= refutable.seeds_needed


def test_seeds_that_would_only_show_a_small_difference_are_named_as_such():
    study = {"a": runs_of(0.90, 0.91, 0.92, n=20000), "b": runs_of(0.901, 0.911, 0.921, n=20000)}
    assert word(one_claim(), study).reason.endswith("seeds would show that the difference is of no practical weight.")
    assert word(one_claim("equal", ("a", "b"), ()), study).reason.endswith("seeds would decide it.")


def test_a_known_difference_within_the_margin_is_undecided_for_better_and_supports_equal():
    study = {"a": runs_of(0.9, 0.9, 0.9, n=4000), "b": runs_of(0.901, 0.901, 0.901, n=4000)}
    better = word(one_claim(), study)
    assert better.verdict == "undecided"
    assert "no difference of practical weight" in better.reason
    assert word(one_claim("equal", ("a", "b"), ()), study).verdict == "supported"
    assert word(one_claim("equal", ("a", "b"), ()), CLEAR).verdict == "contradicted"


@pytest.mark.parametrize(
    ("value", "expected"), [((0.9, 1.0), "supported"), ((0.5, 0.6), "contradicted"), ((0.96, 0.96), "undecided")]
)
def test_a_published_value_is_held_against_the_interval_of_the_mean(value, expected):
    assert word(one_claim("value", ("a",), (), value), CLEAR).verdict == expected


def test_an_interval_of_a_share_stays_between_nothing_and_all():
    verdict = word(one_claim("value", ("a",), (), (1.0, 1.0)), {"a": runs_of(1.0, 1.0, 0.98, n=40)})
    assert verdict.decisive.high == 1.0


def test_a_setting_that_always_diverges_loses_and_one_that_sometimes_does_decides_nothing():
    always = {"a": CLEAR["a"], "b": runs_of(0, 0, 0, status="diverged")}
    assert word(one_claim(), always).verdict == "supported"
    verdict = word(one_claim(settings=("b",), against=("a",)), always)
    assert (verdict.verdict, verdict.reason) == ("contradicted", "Every run of b diverged.")
    sometimes = {"a": CLEAR["a"], "b": [*runs_of(0.5, 0.5), run_of(0, 2, status="diverged")]}
    verdict = word(one_claim(), sometimes)
    assert verdict.verdict == "undecided"
    assert verdict.reason == "1 of 3 runs of b diverged."
    assert word(one_claim(), dict.fromkeys("ab", always["b"])).verdict == "undecided"


def test_a_single_run_a_side_decides_nothing():
    verdict = word(one_claim(), {"a": runs_of(0.99), "b": runs_of(0.5)})
    assert verdict.verdict == "undecided"
    assert "1 run" in verdict.reason


def test_a_degenerate_run_is_compared_and_named():
    study = {"a": CLEAR["a"], "b": runs_of(0.5, 0.5, 0.5, status="degenerate")}
    verdict = word(one_claim(), study)
    assert verdict.verdict == "supported"
    assert "b: 3 of 3 runs call one class only" in verdict.reason


def test_an_undefined_metric_decides_nothing():
    study = {name: runs_of(0.9, 0.9) for name in "ab"}
    for run in study["b"]:
        run.scores["test"].score[:] = 0.01  # never calls 1: no precision
    verdict = word(one_claim(metric="precision"), study)
    assert verdict.verdict == "undecided"
    assert verdict.reason == "Precision is undefined in a run."


def test_a_claim_on_a_setting_that_was_skipped_says_why_also_where_the_whole_study_was():
    skipped = {name: f"the source of cohort {name} has no split of its own" for name in "ab"}
    for study in ({}, {"a": CLEAR["a"]}):
        (verdict,) = judge([one_claim("better", ("b",), ("a",))], study, RULES, skipped)
        assert verdict.verdict == "not tested"
        assert verdict.reason == "b was skipped: the source of cohort b has no split of its own."


@pytest.mark.parametrize(
    ("study", "reason"),
    [
        ({}, "params.yaml has no such study."),
        ({"a": CLEAR["a"]}, "No run of b."),
        ({"a": CLEAR["a"], "b": [Run(0, {"validation": "ok"}, {}, times(1.0))]}, "Our runs of b have no test images."),
    ],
)
def test_what_was_not_run_is_not_tested(study, reason):
    verdict = word(one_claim(), study)
    assert (verdict.verdict, verdict.reason, verdict.decisive) == ("not tested", reason, None)


def test_more_claims_widen_each_interval():
    (alone,) = judge([one_claim()], CLEAR, RULES)
    among = judge(
        [one_claim(), *(one_claim("equal", ("a", "b", "c"), (), None, "auc") for _ in range(4))], CLEAR, RULES
    )
    assert among[0].decisive.low <= alone.decisive.low
    assert among[0].verdict == "supported"


def test_settings_without_a_difference_seldom_support_a_claim():
    rng = np.random.default_rng(4)
    supported = 0
    for _ in range(150):
        hard = rng.uniform(0.6, 1, 300)
        study = {}
        for name in "ab":
            runs = []
            for seed in range(3):
                target = np.arange(300) % 2
                right = rng.uniform(size=300) < np.clip(hard + rng.normal(0, 0.01), 0, 1)
                score = np.where(right, target, 1 - target) * 0.8 + 0.1
                patient = np.array([f"p{i}" for i in range(300)])
                runs.append(Run(seed, {"test": "ok"}, {"test": Scores(patient, target, score)}, times(1.0)))
            study[name] = runs
        supported += word(one_claim(), study).verdict == "supported"
    print(f"{supported} of 150 claims without a difference supported")
    assert supported <= 4


def test_patients_are_matched_by_name_also_where_settings_saw_different_ones():
    far = [Run(r.seed, r.status, {"test": Scores(np.char.add("other ", r.scores["test"].patient),
           r.scores["test"].target, r.scores["test"].score)}, times(1.0)) for r in CLEAR["b"]]  # fmt: skip
    contrast = Contrast("accuracy", "test", "a", "b", (-0.01, 0.01))
    (shared,) = compare({"a": CLEAR["a"], "b": CLEAR["b"]}, [contrast], RULES)
    (apart,) = compare({"a": CLEAR["a"], "b": far}, [contrast], RULES)
    assert apart.value == pytest.approx(shared.value)
    assert apart.high - apart.low > shared.high - shared.low  # nothing is paired
    assert math.isfinite(apart.high)
