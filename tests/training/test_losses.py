"""Each loss brings its output layer and label form, and P(target = 1) is read from the right place."""

import numpy as np
import pytest

from cxrbench.config.loss_forms import LOSS_FORMS
from cxrbench.config.setting import LOSSES
from cxrbench.training import losses


def test_settings_allow_exactly_the_losses_there_are():
    assert tuple(LOSS_FORMS) == LOSSES


@pytest.mark.parametrize("name", LOSSES)
def test_a_confident_right_answer_costs_less_than_a_wrong_one(name):
    form = LOSS_FORMS[name]
    target = np.array([0, 1, 1])
    p = np.array([0.05, 0.95, 0.9])

    def cost(probability):
        output = probability[:, None] if form.units == 1 else np.stack([1 - probability, probability], axis=1)
        assert np.allclose(losses.probability_of_target(name, output), probability)
        return float(losses.build(name)(losses.labels_for(name, target), output.astype("float32")))

    assert cost(p) < cost(np.full(3, 0.5)) < cost(1 - p)


def test_the_three_crossentropies_are_one_loss_in_three_label_forms():
    target, p = np.array([0, 1, 1, 0]), np.array([0.2, 0.7, 0.4, 0.1])
    two = np.stack([1 - p, p], axis=1).astype("float32")
    values = [
        float(losses.build(name)(losses.labels_for(name, target), two if LOSS_FORMS[name].units == 2 else two[:, 1:]))
        for name in ("binary_crossentropy", "categorical_crossentropy", "sparse_categorical_crossentropy")
    ]
    by_hand = -np.mean(np.log(np.where(target == 1, p, 1 - p)))
    np.testing.assert_allclose(values, by_hand, rtol=1e-5)
