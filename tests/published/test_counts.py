"""The search calls no figure of real runs impossible, and finds by its order of search what trying everything finds."""

import itertools
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxrbench.published import counts
from cxrbench.published.counts import METRICS, Images, TooMany, nearest, possible
from cxrbench.published.figures import figures

SMALL = [Images(2, 3, 1), Images(2, 3, 2), Images(2, 3, 3), Images(1, 4, 3), Images(3, 1, 2)]


def of_run(images, true, false):
    """The metrics of one run; precision is None where it calls nobody ill."""
    return {
        "accuracy": Fraction(true + images.negative - false, images.negative + images.positive),
        "recall": Fraction(true, images.positive),
        "specificity": Fraction(images.negative - false, images.negative),
        "precision": Fraction(true, true + false) if true + false else None,
        "f1": Fraction(2 * true, images.positive + true + false),
    }


def everything(images):
    """The mean metrics of every grid of runs; without precision where one run has none."""
    one = [of_run(images, true, false) for true in range(images.positive + 1) for false in range(images.negative + 1)]
    for runs in itertools.combinations_with_replacement(one, images.runs):
        values = {name: [run[name] for run in runs] for name in METRICS}
        yield {name: sum(found) / len(found) for name, found in values.items() if None not in found}


ALL = {images: list(everything(images)) for images in SMALL}


def inside(value, ranges):
    return all(name in value and low <= value[name] <= high for name, (low, high) in ranges.items())


@st.composite
def questions(draw):
    """Images, and ranges of some metrics: often around values that runs have, often not."""
    images = draw(st.sampled_from(SMALL))
    names = draw(st.sets(st.sampled_from(METRICS), min_size=1))
    width = draw(st.sampled_from([Fraction(0), Fraction(1, 2000), Fraction(1, 20)]))
    near = draw(st.sampled_from(ALL[images]))
    shift = draw(st.sampled_from([Fraction(0), Fraction(0), width, Fraction(1, 500), Fraction(1, 30)]))
    middles = {name: near.get(name, Fraction(1, 3)) + (shift if draw(st.booleans()) else 0) for name in names}
    return images, {name: (middle - width, middle + width) for name, middle in middles.items()}


@settings(max_examples=300)
@given(questions())
def test_possible_is_what_trying_everything_finds(question):
    images, ranges = question
    assert possible(images, ranges) == any(inside(value, ranges) for value in ALL[images])


def test_a_precision_that_no_runs_have_has_no_nearest_value():
    nobody_is_called_ill = {"recall": (Fraction(0), Fraction(0)), "specificity": (Fraction(1), Fraction(1))}
    assert nearest(Images(2, 3, 1), nobody_is_called_ill, "precision", Fraction(0)) is None


@settings(max_examples=300)
@given(questions(), st.sampled_from(METRICS), st.fractions(0, 1, max_denominator=40))
def test_the_nearest_value_is_what_trying_everything_finds(question, metric, wanted):
    images, ranges = question
    ranges.pop(metric, None)
    values = [value[metric] for value in ALL[images] if inside(value, ranges) and metric in value]
    found = nearest(images, ranges, metric, wanted)
    if not values:
        assert found is None
    else:
        assert abs(found - wanted) == min(abs(value - wanted) for value in values)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(280, 300), st.integers(0, 12)), min_size=3, max_size=3))
def test_what_three_real_runs_print_is_possible(runs):
    images = Images(200, 300, 3)
    each = [of_run(images, true, false) for true, false in runs]
    means = {name: sum(run[name] for run in each) / 3 for name in METRICS}
    ranges = {name: figures(f"{float(100 * value):.2f}", "%")[0].rounded_from for name, value in means.items()}
    assert possible(images, ranges)


def test_the_two_known_contradictions_of_a_published_row_are_found():
    row = {"accuracy": "98.00", "precision": "99.78", "recall": "97.00", "f1": "98.53"}
    ranges = {name: figures(text, "%")[0].rounded_from for name, text in row.items()}
    images = Images(200, 300, 3)
    assert all(possible(images, {name: one}) for name, one in ranges.items() if name in counts.OF_SUMS)
    assert possible(images, {name: ranges[name] for name in ("accuracy", "recall")})
    assert not possible(images, {name: ranges[name] for name in ("accuracy", "recall", "precision")})
    assert not possible(images, {name: ranges[name] for name in ("accuracy", "recall", "f1")})
    left = {name: ranges[name] for name in ("accuracy", "recall")}
    precision = nearest(images, left, "precision", Fraction(9978, 10_000))
    assert round(float(100 * precision), 2) == 99.67


def test_a_question_that_leaves_too_much_is_not_answered(monkeypatch):
    monkeypatch.setattr(counts, "MOST_WORK", 1000)
    with pytest.raises(TooMany):
        possible(Images(200, 300, 3), {"f1": (Fraction(1, 2), Fraction(3, 5))})


def test_a_figure_beyond_what_any_counts_give_needs_no_search(monkeypatch):
    monkeypatch.setattr(counts, "MOST_WORK", 0)
    assert not possible(Images(200, 300, 3), {"f1": (Fraction(2), Fraction(3))})
    assert not possible(Images(200, 300, 3), {"recall": (Fraction(97, 100),) * 2, "f1": (Fraction(99, 100),) * 2})
