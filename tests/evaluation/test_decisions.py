"""How often a relation is false, on estimates of which the truth is known."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrbench.evaluation.decisions import Question, decide, holm_levels, side_of
from cxrbench.evaluation.resampling import Estimate

ZONE = (-1.0, 1.0)
ALPHA = 0.05
TRIALS = 3000
CLAIM_TRIALS = 1500


def limit(trials):
    """The stated rate and three standard errors of the simulation."""
    return ALPHA + 3 * math.sqrt(ALPHA * (1 - ALPHA) / trials)


def estimate(value, error, seeds=None, rng=None, bounds=(-math.inf, math.inf)):
    """An estimate whose standard error is known, or itself estimated from ``seeds`` runs of one setting."""
    if seeds is None:
        return Estimate(value, (), (), error**2, 100, bounds)
    variance = seeds * error**2 * rng.chisquare(seeds - 1) / (seeds - 1)
    return Estimate(value, (variance,), (seeds,), 0.0, 100, bounds)


def decide_each(estimates, zones):
    """Every estimate is a question of its own."""
    return [one for (one,) in decide([Question([one], [zone]) for one, zone in zip(estimates, zones)], ALPHA)]


def true_relation(truth):
    """At an edge no relation is true: the zone's edges belong to neither side."""
    return "above" if truth > 1 else "below" if truth < -1 else "inside" if -1 < truth < 1 else None


def false_rate(truths, error=0.3, seeds=None, shared=0.0):
    """The share of trials with any false relation; ``shared`` is the correlation of the estimates."""
    rng = np.random.default_rng(len(truths))
    wrong = 0
    for _ in range(TRIALS):
        noise = math.sqrt(1 - shared) * rng.normal(size=len(truths)) + math.sqrt(shared) * rng.normal()
        estimates = [estimate(truth + error * z, error, seeds, rng) for truth, z in zip(truths, noise)]
        relations = [one.relation for one in decide_each(estimates, [ZONE] * len(truths))]
        wrong += any(got not in ("open", true_relation(truth)) for got, truth in zip(relations, truths))
    return wrong / TRIALS


@pytest.mark.parametrize("count", [3, 6, 19])
def test_with_every_truth_at_an_edge_the_rate_of_any_false_relation_is_the_stated_one(count):
    at_one_edge, at_both = false_rate([1.0] * count), false_rate([1.0, -1.0] * (count // 2) + [1.0] * (count % 2))
    print(f"{count} comparisons: any false relation in {at_one_edge:.3f} and {at_both:.3f} of {TRIALS} trials")
    for rate in (at_one_edge, at_both):
        assert 0.035 < rate < limit(TRIALS)  # a rule that never decides would pass the upper bound alone


@pytest.mark.parametrize("seeds", [None, 3, 6])
@pytest.mark.parametrize("shared", [0.0, 0.5])
@pytest.mark.parametrize(
    "truths",
    [
        (1.0, 9.0, 9.0, -9.0, 0.0, 0.0),  # one at an edge among such as are clear
        (1.02, 1.02, 1.02, 1.02, 1.02, 1.02),  # just outside: 'inside' would be false
        (0.98, 0.98, 0.98, -0.98, -0.98, -0.98),  # just inside
        (0.0, 0.5, -0.5, 0.0, 0.5, -0.5),
        (1.5, 1.5, 3.0, -1.5, -1.5, -3.0),
    ],
    ids=["one at an edge", "just outside", "just inside", "inside", "outside"],
)
def test_wherever_the_truths_lie_the_rate_of_any_false_relation_keeps_below_the_stated_one(truths, shared, seeds):
    assert false_rate(truths, seeds=seeds, shared=shared) < limit(TRIALS)


def test_where_the_zone_is_narrow_a_difference_is_seldom_given_the_wrong_sign():
    assert false_rate([0.0] * 6, error=3.0) < limit(TRIALS)
    assert false_rate([1.5, -1.5, 4.0, -4.0, 8.0, 20.0], error=3.0) < limit(TRIALS)


def false_answers(questions, wanted, seeds=None):
    """The share of trials with any claim supported or contradicted falsely.

    ``questions`` holds for each claim the true values of its contrasts, which share their first setting; wanted
    'above' is refuted by 'below' alone, 'inside' by 'above' and by 'below'.
    """
    rng = np.random.default_rng(len(questions))
    refuting = {"below"} if wanted == "above" else {"above", "below"}
    wrong = 0
    for _ in range(CLAIM_TRIALS):
        asked = []
        for truths in questions:
            shared = rng.normal()
            values = [truth + 0.3 * math.sqrt(0.5) * (shared + rng.normal()) for truth in truths]
            asked.append(Question([estimate(one, 0.3, seeds, rng) for one in values], [ZONE] * len(truths), wanted))
        for truths, decisions in zip(questions, decide(asked, ALPHA)):
            relations = {one.relation for one in decisions}
            true = {true_relation(truth) for truth in truths}
            if (relations == {wanted} and true != {wanted}) or (refuting & relations and not refuting & true):
                wrong += 1
                break
    return wrong / CLAIM_TRIALS


@pytest.mark.parametrize("seeds", [None, 3])
@pytest.mark.parametrize("wanted", ["above", "inside"])
@pytest.mark.parametrize(
    "questions",
    [
        [(1.0, 9.0, 9.0)] * 4,  # the strongest rival decides
        [(-1.0, -1.0, -1.0)] * 4,
        [(1.0, 1.0, 1.0), (-1.0,), (1.02, 1.5, 9.0), (-1.02, 0.0, 9.0)],
        [(9.0, 9.0, 9.0)] * 3 + [(-1.0, -1.0, -1.0)],
        [(0.0, 0.0)] * 3 + [(1.0, 0.0)],
    ],
    ids=["strongest rival", "all at an edge", "mixed", "all but one clear", "inside but one"],
)
def test_claims_of_several_contrasts_keep_the_stated_rate_of_any_false_verdict(questions, wanted, seeds):
    rate = false_answers(questions, wanted, seeds)
    print(f"{wanted}, {seeds} seeds: any false verdict in {rate:.3f} of {CLAIM_TRIALS} trials")
    assert rate < limit(CLAIM_TRIALS)


def test_a_claim_is_supported_at_its_own_level_and_refuted_at_a_share_of_it():
    three = [estimate(9, 0.3), estimate(8, 0.3), estimate(-9, 0.3)]
    (decisions,) = decide([Question(three, [ZONE] * 3, "above")], ALPHA)
    assert [one.level for one in decisions] == [ALPHA, ALPHA, ALPHA / 3]
    assert [one.relation for one in decisions] == ["above", "above", "below"]
    weak = [estimate(9, 0.3), estimate(8, 0.3), estimate(1 + 0.3 * 2.0, 0.3)]  # 2.0 errors suffice for 'supported'
    assert {one.relation for one in decide([Question(weak, [ZONE] * 3, "above")], ALPHA)[0]} == {"above"}


def test_a_question_that_lacks_an_estimate_is_never_affirmed_and_relaxes_no_level():
    clear = Question([estimate(9, 0.3)], [ZONE], "above", complete=False)
    other = Question([estimate(1.6, 0.3)], [ZONE], "above")
    assert decide([clear, other], ALPHA)[1][0].level == ALPHA / 2
    assert decide([dataclasses.replace(clear, complete=True), other], ALPHA)[1][0].level == ALPHA


def test_a_question_that_one_estimate_denies_clearly_relaxes_the_level_of_the_others():
    denied = Question([estimate(-9, 0.3), estimate(1.05, 0.3)], [ZONE] * 2, "above")
    other = Question([estimate(1.6, 0.3)], [ZONE], "above")
    assert decide([denied, other], ALPHA)[1][0].level == ALPHA


def test_a_value_at_an_edge_lies_inside():
    assert [side_of(value, ZONE) for value in (-1.001, *ZONE, 1.001)] == ["below", "inside", "inside", "above"]


def test_an_estimate_that_is_far_from_one_edge_relaxes_no_level():
    near_the_upper = [estimate(1.1, 0.3) for _ in range(5)]  # seven standard errors from the lower edge
    assert {one.level for one in decide_each(near_the_upper, [ZONE] * 5)} == {ALPHA / 5}


def test_a_decided_estimate_relaxes_the_level_of_the_others():
    found = decide_each([estimate(9, 0.3), estimate(1.6, 0.3), estimate(-9, 0.3)], [ZONE] * 3)
    assert [one.relation for one in found] == ["above", "above", "below"]  # 2.0 errors above; ALPHA / 3 needs 2.4
    assert found[1].level == ALPHA


@given(st.lists(st.tuples(st.floats(-3, 3), st.floats(0.01, 1)), min_size=1, max_size=8))
def test_a_relation_is_what_its_own_interval_shows(values):
    estimates = [estimate(value, error) for value, error in values]
    for one, decision in zip(estimates, decide_each(estimates, [ZONE] * len(values))):
        low, high = one.interval(decision.level)
        shown = {"above": low > 1, "below": high < -1, "inside": low > -1 and high < 1}
        if min(abs(end - edge) for end in (low, high) for edge in ZONE) > 1e-9:
            assert shown.get(decision.relation, not any(shown.values()))


def test_an_edge_that_no_value_can_lie_beyond_leaves_nothing_open():
    share = estimate(0.999, 0.001, bounds=(0.0, 1.0))
    for zone in ((0.98, 1.0), (0.98, 1.2)):
        assert decide_each([share], [zone])[0].relation == "inside"
    assert decide_each([share], [(0.9985, 1.0)])[0].relation == "open"
    assert decide_each([estimate(0.001, 0.001, bounds=(0.0, 1.0))], [(0.0, 0.02)])[0].relation == "inside"
    assert decide_each([estimate(0.5, 9.0, bounds=(0.0, 1.0))], [(-0.1, 1.0)])[0].relation == "inside"


def test_holm_goes_down_step_by_step_and_stops_at_the_first_failure():
    assert holm_levels([0.001, 0.02, 0.04], 0.06) == pytest.approx([0.02, 0.03, 0.06])
    assert holm_levels([0.04, 0.001, 0.04], 0.06) == pytest.approx([0.03, 0.02, 0.03])
    assert holm_levels([0.5, 0.5], 0.05) == pytest.approx([0.025, 0.025])
    assert holm_levels([], 0.05) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_rejects_exactly_what_its_adjusted_p_values_reject(p_values):
    count, highest, adjusted = len(p_values), 0.0, {}
    for rank, i in enumerate(sorted(range(count), key=lambda i: p_values[i])):
        highest = max(highest, (count - rank) * p_values[i])
        adjusted[i] = highest
    for i, level in enumerate(holm_levels(p_values, 0.05)):
        if abs(adjusted[i] - 0.05) > 1e-12:
            assert (p_values[i] < level) == (adjusted[i] < 0.05)
