"""The probability that a claim is false: figures that are known, and a simulation of what they mean."""

import numpy as np
import pytest

from cxrbench.published.chance import at, congruences, false_claim, false_claim_range, place


@pytest.mark.parametrize(
    ("a", "b", "images", "least", "most"),
    [(0.9813, 0.9800, 500, 0.32, 0.44), (0.9813, 0.9733, 500, 0.03, 0.20), (0.9898, 0.9879, 2426, 0.02, 0.27)],
)
def test_the_papers_claims_by_their_own_number_of_images(a, b, images, least, most):
    assert false_claim_range(a, b, images) == pytest.approx((least, most), abs=0.006)


def test_equal_figures_are_an_even_bet_and_a_worse_one_is_likely_false():
    assert false_claim(0.9, 0.9, 500, 0.85) == pytest.approx(0.5)
    assert false_claim(0.8, 0.9, 500, 0.75) > 0.999


def test_a_place_between_the_least_and_greatest_congruence_carries_over():
    assert congruences(0.9, 0.8) == pytest.approx((0.7, 0.8))
    assert at(place(0.75, 0.9, 0.8), 0.99, 0.98) == pytest.approx(0.975)
    assert place(1.0, 1.0, 1.0) == 1.0


def test_among_studies_that_print_the_same_the_claim_is_false_as_often_as_said():
    """Truths from the flat prior, studies drawn from them: of those that print 16 and 12 of 20, so many are false."""
    rng, images = np.random.default_rng(0), 20
    truth = rng.dirichlet(np.ones(4), 1_000_000)  # both, A alone, B alone, neither
    both, a_alone, b_alone, _ = rng.multinomial(images, truth).T
    printed = (both == 10) & (a_alone == 6) & (b_alone == 2)
    assert printed.sum() > 300
    false = (truth[printed, 1] <= truth[printed, 2]).mean()
    assert false_claim(16 / images, 12 / images, images, 10 / images) == pytest.approx(false, abs=0.03)
