"""Wilson, DeLong and McNemar agree with SciPy, statsmodels, scikit-learn and the definitions counted out by hand."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import roc_auc_score

from cxrbench.evaluation.crosschecks import delong, mcnemar, wilson

counts = st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
images = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 9), st.integers(0, 9)), min_size=4, max_size=40)
calls = st.lists(st.tuples(st.booleans(), st.booleans()), max_size=60)


@settings(max_examples=100)
@given(counts, st.sampled_from([0.9, 0.95, 0.99]))
def test_wilsons_interval_is_scipys(count, confidence):
    wanted = stats.binomtest(*count).proportion_ci(confidence, method="wilson")
    assert wilson(*count, confidence) == pytest.approx(tuple(wanted), abs=1e-12)


@settings(max_examples=100)
@given(counts)
def test_wilsons_interval_is_statsmodels(count):
    from statsmodels.stats.proportion import proportion_confint

    assert wilson(*count) == pytest.approx(proportion_confint(*count, method="wilson"), abs=1e-12)


def test_475_of_500_has_the_interval_that_is_known():
    assert wilson(475, 500) == pytest.approx((0.927, 0.966), abs=0.0005)


def test_all_or_none_right_ends_at_the_edge_and_no_image_has_no_interval():
    assert wilson(0, 50)[0] == pytest.approx(0, abs=1e-15)
    assert wilson(50, 50)[1] == 1
    assert all(math.isnan(end) for end in wilson(0, 0))


@pytest.mark.parametrize("right", [-1, 51, math.nan])
def test_a_proportion_out_of_range_is_an_error(right):
    with pytest.raises(ValueError, match=r"of 50 images"):
        wilson(right, 50)


def arrays(triples):
    target, a, b = np.array(triples).T
    return target, a / 9, b / 9


def by_definition(target, *scores):
    """Standard error of the difference from every pair of images counted out (DeLong et al. 1988, equations 3 to 5)."""
    ones, zeros = np.flatnonzero(target == 1), np.flatnonzero(target == 0)
    won = np.array([[[(s[i] > s[j]) + (s[i] == s[j]) / 2 for j in zeros] for i in ones] for s in scores])
    contrast = np.array([1, -1])
    of_ones, of_zeros = np.cov(won.mean(axis=2)), np.cov(won.mean(axis=1))
    return math.sqrt(max(0.0, contrast @ (of_ones / len(ones) + of_zeros / len(zeros)) @ contrast))


@settings(max_examples=150)
@given(images.filter(lambda rows: 2 <= sum(row[0] for row in rows) <= len(rows) - 2))
def test_delong_by_midranks_is_delong_by_definition(triples):
    target, a, b = arrays(triples)
    found = delong(target, a, b)
    assert (found.a, found.b) == pytest.approx((roc_auc_score(target, a), roc_auc_score(target, b)))
    error = by_definition(target, a, b)
    assert found.error == pytest.approx(error, abs=1e-9)
    if found.error > 0:
        assert found.p == pytest.approx(2 * stats.norm.sf(abs(found.a - found.b) / error))
    elif found.a == found.b:
        assert found.p == 1
    else:
        assert math.isnan(found.p)


@settings(max_examples=100)
@given(images, st.integers(0, 1000))
def test_delong_knows_neither_sides_nor_order_nor_scale(triples, seed):
    target, a, b = arrays(triples)
    found, order = delong(target, a, b), np.random.default_rng(seed).permutation(len(target))
    for other in (delong(target, b, a), delong(target[order], b[order], a[order]), delong(target, b**3, np.exp(a))):
        assert (other.b, other.a, other.error, other.p) == pytest.approx(
            (found.a, found.b, found.error, found.p), nan_ok=True
        )


def two_readers(rng, n, skill_a=1.2, skill_b=1.2):
    """Targets and the scores of two networks that find the same images hard."""
    target = (rng.random(n) < 0.4).astype(int)
    hard = rng.normal(size=n)
    return target, *(skill * target + hard + 0.7 * rng.normal(size=n) for skill in (skill_a, skill_b))


def test_delongs_error_is_the_spread_of_resampled_images():
    rng = np.random.default_rng(0)
    target, a, b = two_readers(rng, 800, 1.5, 1.2)
    drawn = [rng.integers(0, 800, 800) for _ in range(600)]
    spread = np.std([roc_auc_score(target[i], a[i]) - roc_auc_score(target[i], b[i]) for i in drawn], ddof=1)
    assert delong(target, a, b).error == pytest.approx(spread, rel=0.1)


def test_of_equal_networks_delong_calls_one_in_twenty_different():
    rng = np.random.default_rng(1)
    p_values = np.array([delong(*two_readers(rng, 300)).p for _ in range(2000)])
    assert (p_values < 0.05).mean() == pytest.approx(0.05, abs=0.015)
    assert stats.kstest(p_values, "uniform").pvalue > 0.001


def test_a_network_against_itself_is_no_difference_even_if_perfect():
    target = np.array([0, 0, 1, 1])
    for score in (target.astype(float), np.full(4, 0.5), np.array([0.1, 0.6, 0.4, 0.9])):
        found = delong(target, score, score)
        assert (found.error, found.p) == (0, 1)


def test_delong_can_not_tell_a_perfect_network_from_one_that_says_one_value():
    target = np.array([0, 0, 0, 1, 1, 1, 1])
    found = delong(target, target.astype(float), np.full(7, 0.1))
    assert (found.a, found.b, found.error) == (1, 0.5, 0)
    assert math.isnan(found.p)


@pytest.mark.parametrize("target", [[0, 0, 0], [1, 1, 1]])
def test_one_class_has_no_auc(target):
    found = delong(np.array(target), np.array([0.1, 0.2, 0.3]), np.array([0.1, 0.3, 0.2]))
    assert all(math.isnan(value) for value in (found.a, found.b, found.error, found.p))


def test_one_image_of_a_class_has_aucs_and_no_test():
    found = delong(np.array([0, 0, 1]), np.array([0.1, 0.2, 0.3]), np.array([0.1, 0.3, 0.2]))
    assert (found.a, found.b) == (1, 0.5)
    assert math.isnan(found.error)
    assert math.isnan(found.p)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_score_that_is_not_finite_has_no_test(bad):
    score = np.array([0.1, 0.2, 0.3, 0.4])
    for pair in itertools.permutations((score, np.array([0.1, bad, 0.3, 0.4]))):
        found = delong(np.array([0, 1, 0, 1]), *pair)
        assert all(math.isnan(value) for value in (found.a, found.b, found.error, found.p))


def test_arrays_of_different_lengths_are_an_error():
    with pytest.raises(ValueError, match="2, 2, 3 images"):
        delong(np.array([0, 1]), np.array([0.1, 0.2]), np.array([0.1, 0.2, 0.3]))
    with pytest.raises(ValueError, match="2, 3 images"):
        mcnemar(np.array([True, False]), np.array([True, False, True]))


def columns(pairs):
    return [np.array([pair[side] for pair in pairs], dtype=bool) for side in (0, 1)]


@settings(max_examples=150)
@given(calls)
def test_mcnemar_is_scipys_binomial_test_of_the_discordant_images(pairs):
    a, b = columns(pairs)
    found = mcnemar(a, b)
    assert found.only_a - found.only_b == a.sum() - b.sum()
    discordant = found.only_a + found.only_b
    wanted = stats.binomtest(found.only_a, discordant).pvalue if discordant else 1.0
    assert found.p == pytest.approx(wanted)
    assert mcnemar(b, a).p == found.p


@settings(max_examples=100)
@given(calls.filter(bool))
def test_mcnemar_is_statsmodels(pairs):
    from statsmodels.stats import contingency_tables

    a, b = columns(pairs)
    table = [[int((a & b).sum()), int((a & ~b).sum())], [int((~a & b).sum()), int((~a & ~b).sum())]]
    assert mcnemar(a, b).p == pytest.approx(contingency_tables.mcnemar(table, exact=True).pvalue)


def test_mcnemar_of_many_images_is_still_exact():
    a, b = np.zeros(100_000, dtype=bool), np.zeros(100_000, dtype=bool)
    a[:2100], b[2100:4000] = True, True
    assert mcnemar(a, b).p == pytest.approx(stats.binomtest(1900, 4000).pvalue, rel=1e-9)


def test_of_two_runs_that_are_right_on_the_same_images_neither_is_better():
    right = np.array([True, True, False])
    assert mcnemar(right, right).p == 1
    assert mcnemar(right[:0], right[:0]).p == 1
