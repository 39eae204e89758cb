"""What is said of an image: the view first, then the finding, or why there is no label."""

import math

import numpy as np
import pytest

from cxrbench.images.limits import Undecodable
from cxrbench.images.parallel import Lost
from cxrbench.prediction.judge import IN_THE_BAND, NOT_FRONTAL, UNUSABLE, judge
from cxrbench.prediction.look import Look
from tests.prediction.models import SIZE, VIEW_SIZE, brightness, model


def look(grey, view=255):
    return Look(np.full((SIZE, SIZE), grey, np.uint8), np.full((VIEW_SIZE, VIEW_SIZE), view, np.uint8))


def said(*looks, of=None, score=brightness):
    named = [(f"f{number}", one) for number, one in enumerate(looks)]
    return judge(named, of or model(), score)


def test_every_image_gets_its_own_row_in_order():
    lost, cut = Lost("decoder crashed", "signal"), Undecodable("x", "truncated", "ends early")
    found = said(look(255), cut, look(255, 0), look(0), lost, look(128), look(0, 128))
    assert [one.path for one in found] == [f"f{number}" for number in range(7)]
    assert [one.kind for one in found] == [
        "covid", UNUSABLE, NOT_FRONTAL, "normal", UNUSABLE, IN_THE_BAND, NOT_FRONTAL
    ]  # fmt: skip
    assert [one.label for one in found] == ["covid", "", "", "normal", "", "", ""]
    assert [one.reason for one in found] == [
        "", "truncated: ends early", f"{NOT_FRONTAL}: lateral", "", "decoder crashed: signal", IN_THE_BAND,
        f"{NOT_FRONTAL}: the network abstains",
    ]  # fmt: skip


def test_what_is_not_frontal_has_no_probability_and_is_not_shown_to_the_network():
    asked = []

    def score(images, of=0):
        asked.append((of, len(images)))
        return brightness(images, of)

    found = said(look(255, 0), look(255), look(0, 0), score=score)
    assert asked == [(1, 3), (0, 1)]
    assert [math.isnan(one.probability) for one in found] == [True, False, True]
    assert [one.view_score for one in found] == [0, 1, 0]


def test_without_a_view_check_every_image_is_asked_about():
    found = said(look(255, 0), of=model(view=False))
    assert (found[0].label, found[0].view) == ("covid", "")
    assert math.isnan(found[0].view_score)


def test_no_number_is_no_label():
    (found,) = said(look(0), of=model(view=False), score=lambda images, of=0: np.array([math.nan]))
    assert (found.label, found.reason) == ("", "the network gives no number")
    (found,) = said(look(0), score=lambda images, of=0: np.array([math.nan]))
    assert found.reason == f"{NOT_FRONTAL}: the network gives no number"


def test_a_part_that_was_hidden_in_training_is_hidden_here():
    found = said(look(255), of=model(view=False, hide="lungs"))
    assert found[0].probability < 0.5


@pytest.mark.parametrize("looks", [(), (Undecodable("x", "empty", "0 bytes"),)])
def test_where_there_is_nothing_to_see_no_network_is_asked(looks):
    assert [one.kind for one in said(*looks, score=None)] == [UNUSABLE] * len(looks)


def test_a_row_has_nothing_where_there_is_no_value():
    row = said(look(255, 0))[0].row()
    assert row == {
        "path": "f0", "label": None, "finding": "covid", "probability": None, "threshold": 0.5, "abstain_from": 0.4,
        "abstain_below": 0.6, "view": "lateral", "view_score": 0.0, "reason": f"{NOT_FRONTAL}: lateral",
    }  # fmt: skip
