"""What a protocol changes, on simulated runs of which the truth is known."""

import math

import numpy as np
import pytest
from scipy.stats import norm

from cxrbench.evaluation.comparisons import Rules, Run
from cxrbench.evaluation.protocol_effect import effect, largest, most_changed
from cxrbench.evaluation.resampling import Scores

RULES = Rules(confidence=0.95, margin=0.01, resamples=200, seed=0)
SPREAD = math.sqrt(1 + 0.36)  # of a score: the patient's hardness and the seed's noise


class Patients:
    """A cohort of 400 patients of two images each, who are as hard under every protocol."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.hardness = self.rng.normal(size=400)

    def runs(self, first, skill, seeds=3, status="ok"):
        """Runs tested on 250 patients from number ``first`` on; a leak is skill that a fair test would not show."""
        patient = np.repeat(np.arange(first, first + 250), 2)
        target = patient % 2
        made = []
        for seed in range(seeds):
            logit = skill + self.hardness[patient] + self.rng.normal(0, 0.6, len(patient))
            score = norm.cdf(np.where(target == 1, logit, -logit))
            made.append(Run(seed, {"test": status}, {"test": Scores(patient.astype(str), target, score)}, {}))
        return made


def accuracy(skill):
    return norm.cdf(skill / SPREAD)


def study(seed=0, leak=0.0, skills=(("a", 1.5),), protocols=("paper", "patient")):
    """Runs and labels of a study whose paper protocol makes every setting look better by ``leak`` of skill."""
    patients, runs, labels = Patients(seed), {}, {}
    for i, protocol in enumerate(protocols):
        for setting, skill in skills:
            label = labels[setting, protocol] = f"{setting}, protocol={protocol}"
            runs[label] = patients.runs(75 * i, skill + (leak if protocol == "paper" else 0))
    return runs, labels


def judged(runs, labels, winners=None, name="s"):
    return effect(name, runs, labels, winners or {}, RULES)


def test_a_planted_leak_is_found_with_its_size_and_sign():
    found = judged(*study(leak=1.0, skills=(("a", 0.5), ("b", 1.0))))
    assert (found.settings, found.protocols) == (("a", "b"), ("patient",))
    assert [one.setting for one in found.of("patient", "accuracy")] == ["a", "b"]
    for one, skill in zip(found.of("patient", "accuracy"), (0.5, 1.0)):
        truth = accuracy(skill) - accuracy(skill + 1.0)
        assert one.size == pytest.approx(one.comparison.value)
        assert one.comparison.high < 0
        assert one.comparison.low < truth < one.comparison.high
    assert all(one.comparison.value < 0 for one in found.of("patient", "auc"))


@pytest.mark.parametrize("leak", [0.0, 0.4])
def test_the_interval_holds_the_true_change_about_as_often_as_it_says(leak):
    truth = accuracy(1.0) - accuracy(1.0 + leak)
    held = 0
    for seed in range(50):
        patients = Patients(seed)
        runs = {"a": patients.runs(0, 1.0 + leak), "b": patients.runs(75, 1.0)}
        change = judged(runs, {("s", "paper"): "a", ("s", "patient"): "b"}).of("patient", "accuracy")[0]
        held += change.comparison.low <= truth <= change.comparison.high
    print(f"leak {leak}: {held} of 50 intervals hold the truth")
    assert held >= 46  # two comparisons share the level: 48.75 are nominal


def test_without_a_leak_no_change_is_claimed_beyond_the_margin():
    claims = sum(
        one.comparison.relation in ("above", "below") for seed in range(25) for one in judged(*study(seed)).changes
    )
    assert claims <= 1


def test_the_most_changed_study_comes_first():
    studies = [("none", 0.0), ("much", 1.0), ("some", 0.5)]
    found = [judged(*study(leak=leak, skills=(("a", 0.5), ("b", 0.8))), name=name) for name, leak in studies]
    assert [one.study for one in most_changed(found)] == ["much", "some", "none"]
    assert found[1].size == pytest.approx(np.mean([abs(one.size) for one in found[1].of("patient", "accuracy")]))


def test_the_order_of_settings_is_compared_with_that_under_paper():
    skills = (("a", 0.0), ("b", 1.0), ("c", 2.0))
    runs, labels = study(skills=skills, protocols=("paper", "patient", "official"))
    swapped = dict(zip("abc", "cba"))
    labels |= {(swapped[s], p): f"{s}, protocol={p}" for s, p in labels if p == "official"}
    found = judged(runs, labels, {"paper": "c", "patient": None})
    assert found.order == {"patient": pytest.approx(1), "official": pytest.approx(-1)}
    assert found.winners == {"paper": "c", "patient": None}
    assert judged(*study(skills=skills[:2])).order == {"patient": pytest.approx(1)}  # two settings have an order
    changes = found.of("official", "accuracy")
    assert abs(largest(changes).size) == max(abs(one.size) for one in changes) > abs(changes[1].size)


def test_one_setting_has_no_order_and_its_largest_change_is_its_own():
    found = judged(*study(protocols=("paper", "patient", "official")))
    assert math.isnan(found.order["patient"])
    changes = found.of("patient", "accuracy")
    assert largest(changes) is changes[0]


def test_a_diverged_run_leaves_no_number_and_does_not_enter_the_size():
    runs, labels = study(leak=0.5, skills=(("a", 0.5), ("b", 1.0)))
    runs["b, protocol=patient"] = Patients(0).runs(75, 1.0, status="diverged")
    found = judged(runs, labels)
    whole, broken = found.of("patient", "accuracy")
    assert math.isnan(broken.size)
    assert found.size == pytest.approx(abs(whole.size))
    assert largest([broken]) is None
    assert most_changed([found]) == [found]


def test_a_setting_without_a_run_under_paper_is_left_out():
    runs, labels = study()
    del labels["a", "paper"]
    found = judged(runs, labels)
    assert (found.settings, found.changes, found.size) == ((), (), 0.0)


def test_one_seed_gives_a_change_without_an_interval():
    patients = Patients(3)
    runs = {"a": patients.runs(0, 1.0, seeds=1), "b": patients.runs(75, 0.5, seeds=1)}
    (change,) = judged(runs, {("s", "paper"): "a", ("s", "patient"): "b"}).of("patient", "accuracy")
    assert math.isfinite(change.size)
    assert change.comparison.relation == "blocked"
    assert "shows no spread over seeds" in change.comparison.reason
