"""What a paper's own figures say of a claim, as the report's reader sees it."""

from pathlib import Path

import numpy as np
import pytest

from cxrbench.evaluation.comparisons import Run
from cxrbench.evaluation.resampling import Scores
from cxrbench.published import papers
from cxrbench.published.consistency import check
from cxrbench.reporting.own_figures import NO_FIGURES, chance_note, chance_text, own_figures, possible_text

PAPERS = papers.load(Path(__file__).resolve().parents[2] / "data" / "published")


def run(seed, right, target):
    """A run that is right on these of the test images."""
    score = np.where(right, target, 1 - target).astype("float64")
    return Run(seed, {"test": "ok"}, {"test": Scores(np.arange(len(target)).astype(str), target, score)}, {})


@pytest.fixture(scope="module")
def found():
    return {name: check(paper.tables).impossible for name, paper in PAPERS.items()}


def of(claim, found, runs=None):
    paper = PAPERS[claim.split("-validation")[0].split("-test")[0]]
    return own_figures(paper, found[paper.study], runs or {})[claim]


def test_a_claim_on_an_impossible_cell_names_it_and_what_it_cannot_stand_beside(found):
    own = of("batch-size-test-f1", found)
    assert possible_text(own) == "impossible together: batch_size=16: accuracy 98.00, f1 98.53"
    assert possible_text(of("batch-size-test-recall", found)).startswith("impossible together: batch_size=16")
    assert possible_text(of("batch-size-validation-accuracy", found)) == (
        "only with digits cut off: batch_size=4: accuracy 98.48"
    )


def test_a_claim_without_countable_figures_has_none(found):
    assert possible_text(of("batch-size-test-auc", found)) == "–"
    assert possible_text(of("learning-rate-test-accuracy", found)) == chance_text(NO_FIGURES) == "–"
    assert chance_note(NO_FIGURES) == ""


def test_the_strongest_rival_and_the_range_over_every_congruence_are_shown(found):
    own = of("batch-size-test-accuracy", found)
    assert chance_text(own) == "32 to 44 % false"
    assert chance_note(own) == "against batch_size=16"


def test_our_congruence_lies_between_the_least_and_the_greatest(found):
    target = np.arange(100) % 2
    eight, sixteen = np.arange(100) < 90, np.arange(100) >= 10  # right together on as few images as can be
    runs = {"batch_size=8": [run(0, eight, target)], "batch_size=16": [run(0, sixteen, target)]}
    own = of("batch-size-test-accuracy", found, runs)
    assert own.ours == pytest.approx(own.most)
    runs["batch_size=16"] = [run(0, eight, target)]  # on as many as can be
    own = of("batch-size-test-accuracy", found, runs)
    assert own.ours == pytest.approx(own.least)
    assert "% at our congruence" in chance_note(own)


def test_runs_of_other_seeds_or_images_say_nothing_of_congruence(found):
    target = np.arange(100) % 2
    for other in (run(1, target == 1, target), run(0, np.ones(100, dtype=bool), 1 - target)):
        runs = {"batch_size=8": [run(0, target == 1, target)], "batch_size=16": [other]}
        assert np.isnan(of("batch-size-test-accuracy", found, runs).ours)
