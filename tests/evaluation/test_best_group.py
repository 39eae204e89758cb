"""P(A beats B) and the group of the best, held against simulated studies whose truth is known."""

import math

import numpy as np
import pytest
from scipy.special import ndtr

from cxrbench.evaluation.best_group import best_group, superiority
from cxrbench.evaluation.comparisons import Rules, Run
from cxrbench.evaluation.resampling import Estimate, Scores, patient_weights

RULES = Rules(confidence=0.95, margin=0.01, resamples=400, seed=0)
PATIENT, SEED, REST = 0.6, 0.25, 0.8  # spreads of the latent score's parts


def drawn(rng, skills, seeds=3, images=300):
    """A study on new images: the classes lie ``skill`` apart; a seed moves how far, a patient moves all settings."""
    target = (rng.random(images) < 0.6).astype(int)
    names, hard = np.arange(images).astype(str), PATIENT * rng.normal(size=images)
    study = {}
    for number, skill in enumerate(skills):
        apart = skill + SEED * rng.normal(size=seeds)
        latent = (2 * target - 1) * apart[:, None] / 2 + hard + REST * rng.normal(size=(seeds, images))
        study[f"s{number}"] = [
            Run(seed, {"test": "ok"}, {"test": Scores(names, target, 1 / (1 + np.exp(-one)))}, {})
            for seed, one in enumerate(latent)
        ]
    return study


def accuracy(run):
    return run.scores["test"].right.mean()


def true_probability(skills, images, repeats=4000):
    """The share of single new runs on new images in which the first beats the second, ties half, and its error."""
    rng = np.random.default_rng(1)
    won = []
    for _ in range(repeats):
        a, b = (accuracy(runs[0]) for runs in drawn(rng, skills, 1, images).values())
        won.append(0.5 if a == b else float(a > b))
    return np.mean(won), np.std(won) / math.sqrt(repeats)


@pytest.mark.parametrize("skills", [(2.6, 2.6), (2.8, 2.4), (3.2, 2.2)])
def test_with_many_seeds_it_is_the_share_of_new_runs_on_new_patients_that_win(skills):
    truth, error = true_probability(skills, 300)
    rng = np.random.default_rng(2)
    found = [best_group(drawn(rng, skills, 20), "s0", RULES).beaten["s1"].probability for _ in range(60)]
    mean, of_mean = np.mean(found), np.std(found) / math.sqrt(60)
    print(f"{skills}: true {truth:.3f} ± {error:.3f}, found {mean:.3f} ± {of_mean:.3f}")
    assert mean == pytest.approx(truth, abs=4 * math.hypot(error, of_mean))


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [2, 3, 10])
@pytest.mark.parametrize("skills", [(2.6, 2.6), (2.8, 2.4), (3.2, 2.2)])
def test_the_interval_holds_the_true_probability_as_often_as_it_says(skills, seeds):
    truth, _ = true_probability(skills, 300)
    rng = np.random.default_rng(3)
    found = [best_group(drawn(rng, skills, seeds), "s0", RULES).beaten["s1"] for _ in range(400)]
    held = np.mean([one.low <= truth <= one.high for one in found])
    width = np.median([one.high - one.low for one in found])
    print(f"{skills}, {seeds} seeds: {100 * held:.1f} % of the intervals hold {truth:.3f}, median width {width:.2f}")
    assert held >= 0.95 - 2 * math.sqrt(0.95 * 0.05 / 400)


@pytest.mark.slow
@pytest.mark.parametrize("behind", [0.0, 0.1])
def test_the_best_setting_is_in_the_group_as_often_as_it_says(behind):
    rng = np.random.default_rng(4)
    skills = [2.8, *[2.8 - behind] * 5]
    groups = [best_group(drawn(rng, skills), "s0", RULES).group for _ in range(300)]
    held = np.mean(["s0" in group for group in groups])
    print(f"five settings {behind} behind: the best is in {100 * held:.1f} % of the groups")
    assert held >= 0.95 - 2 * math.sqrt(0.95 * 0.05 / 300)


def test_it_is_nearly_the_share_of_resamples_and_pairs_of_seeds_in_which_it_wins():
    study = drawn(np.random.default_rng(5), (2.8, 2.5), 6)
    weights = patient_weights(300, 2000, 0)
    a, b = (np.stack([weights @ run.scores["test"].right for run in runs]) / 300 for runs in study.values())
    pairs = a[:, None] - b[None]
    counted = np.mean((pairs > 0) + (pairs == 0) / 2)
    # Counting takes the spread of six runs for that of all: sqrt(5 / 6) of it, which moves Phi(x) by 0.024 at most; as
    # much again for the steps of 1/300 and the 2,000 resamples.
    assert best_group(study, "s0", RULES).beaten["s1"].probability == pytest.approx(counted, abs=0.05)


def test_two_settings_the_other_way_round_have_the_rest_to_one():
    study = drawn(np.random.default_rng(6), (2.9, 2.3))
    there, back = best_group(study, "s0", RULES).beaten["s1"], best_group(study, "s1", RULES).beaten["s0"]
    assert (there.probability, there.low, there.high) == pytest.approx(
        (1 - back.probability, 1 - back.high, 1 - back.low), abs=0.01
    )
    assert there.low < there.probability < there.high


def test_a_setting_against_its_own_runs_is_one_half():
    study = drawn(np.random.default_rng(7), (2.8,))
    study["same"] = study["s0"]
    found = best_group(study, "s0", RULES)
    assert found.beaten["same"].probability == 0.5
    assert found.group == ("s0", "same")


def test_where_only_seeds_vary_it_is_the_effect_size_and_where_only_patients_do_the_z_of_the_difference():
    seeds = superiority(Estimate(0.02, (0.01**2, 0.01**2), (3, 3), 0.0, 0), 0.95)
    assert seeds.probability == pytest.approx(ndtr(0.02 / math.hypot(0.01, 0.01)))
    patients = superiority(Estimate(0.02, (0.0, 0.0), (3, 3), 0.01**2, 500), 0.95)
    assert patients.probability == pytest.approx(ndtr(2))
    assert (patients.low, patients.high) == pytest.approx((ndtr(2 - 1.959964), ndtr(2 + 1.959964)), abs=0.01)


@pytest.mark.parametrize(("value", "seeds"), [(0.02, 3), (-0.01, 5), (0.0, 3)])
def test_where_one_settings_seeds_alone_vary_the_interval_is_scipys_of_a_noncentral_t(value, seeds):
    from scipy.special import nctdtrinc

    one = Estimate(value, (0.01**2, 0.0), (seeds, seeds), 0.0, 500)
    found = superiority(one, 0.95)
    t = value / one.error
    wanted = [ndtr(nctdtrinc(seeds - 1, tail, t) / math.sqrt(seeds)) for tail in (0.975, 0.025)]
    assert (found.low, found.high) == pytest.approx(tuple(wanted), abs=0.01)


def test_a_setting_that_another_clearly_beats_is_not_in_the_group_even_if_it_won_on_validation():
    study = drawn(np.random.default_rng(8), (1.5, 3.2, 3.2))
    assert best_group(study, "s0", RULES).group == ("s1", "s2")


def test_more_settings_make_no_setting_easier_to_leave_out():
    rng, kept = np.random.default_rng(9), 0
    for _ in range(30):
        study = drawn(rng, (2.8, 2.3))
        more = {**study, **{f"copy {i}": study["s0"] for i in range(8)}}
        if "s1" in best_group(study, "s0", RULES).group:
            kept += 1
            assert "s1" in best_group(more, "s0", RULES).group
    assert kept > 10


def test_a_setting_with_one_run_or_a_diverged_one_is_named_with_the_reason_and_in_no_group():
    study = drawn(np.random.default_rng(10), (2.8, 2.6, 2.4, 2.4))
    study["s2"] = study["s2"][:1]
    study["s3"] = [Run(0, {"test": "diverged"}, {}, {}), *study["s3"][1:]]
    found = best_group(study, "s0", RULES)
    assert found.unknown == {
        "s2": "s2 has 1 run, which shows no spread over seeds",
        "s3": "1 of 3 runs of s3 diverged",
    }
    assert set(found.group) <= {"s0", "s1"}
    assert math.isnan(found.beaten["s2"].probability)
    assert found.beaten["s3"].reason == "1 of 3 runs of s3 diverged"


def test_one_setting_alone_is_no_group():
    found = best_group(drawn(np.random.default_rng(11), (2.8,)), "s0", RULES)
    assert (found.group, dict(found.beaten)) == ((), {})
