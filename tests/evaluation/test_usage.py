"""How a network is used: the frozen threshold, the band without a label, and the file that says so."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrbench.base.errors import CxrbenchError
from cxrbench.evaluation.thresholds import intermediate, youden
from cxrbench.evaluation.usage import Usage, as_json, labels_of, read_usage, usage_of

SETTING = {"loss": "categorical_crossentropy", "image_size": 32, "resize": "pad", "lr": 0.1}


def scores(target, score, part="validation"):
    names = [f"{part}-{number:03}" for number in range(len(target))]
    return pd.DataFrame({"source": "a", "image_id": names, "part": part, "target": target, "score": score})


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 50)), min_size=2, max_size=200))
def test_outside_the_band_at_most_a_twentieth_of_either_class_is_called_wrongly(images):
    target, score = np.array(images).T
    if len(set(target)) < 2:
        return
    score = score / 50
    threshold = youden(target, score)
    low, high = intermediate(target, score, threshold)
    assert low <= threshold <= high
    assert np.sum(score[target == 1] < low) <= 0.05 * np.sum(target == 1)
    assert np.sum(score[target == 0] >= high) <= 0.05 * np.sum(target == 0)


def test_the_band_is_as_narrow_as_its_promise_allows():
    ones, zeros = np.linspace(0.3, 1, 100), np.linspace(0, 0.6, 100)
    target, score = np.repeat([1, 0], 100), np.concatenate([ones, zeros])
    low, high = intermediate(target, score, 0.45)
    assert low == ones[5]  # five of a hundred lie below it
    assert zeros[94] < high < zeros[95]


def test_classes_that_do_not_overlap_leave_no_band():
    target, score = np.repeat([0, 1], 50), np.repeat([0.1, 0.8], 50)
    assert intermediate(target, score, youden(target, score)) == (0.8, 0.8)


def test_the_mean_of_the_seeds_is_judged_on_validation_alone_whatever_the_order_of_the_rows():
    first = pd.concat([scores([0, 1, 0, 1], [0.1, 0.9, 0.3, 0.7]), scores([1, 0], [0.0, 1.0], "test")])
    second = pd.concat([scores([0, 1, 0, 1], [0.2, 0.6, 0.2, 0.8]), scores([1, 0], [0.0, 1.0], "test")])[::-1]
    usage = usage_of(SETTING, [first, second], ("normal", "covid"))
    assert usage.threshold == pytest.approx(0.75)
    assert usage.abstain == (usage.threshold, usage.threshold)
    assert (usage.loss, usage.image_size, usage.resize, usage.hide) == (
        "categorical_crossentropy",
        32,
        "pad",
        "nothing",
    )


def test_one_class_alone_gives_the_usual_threshold_and_no_band():
    usage = usage_of(SETTING, [scores([1, 1], [0.2, 0.3])], ("normal", "covid"))
    assert (usage.threshold, usage.abstain) == (0.5, (0.5, 0.5))


def test_a_score_is_called_by_the_band():
    usage = Usage("binary_crossentropy", 32, "squash", "nothing", "normal", "covid", 0.5, (0.4, 0.7))
    said = [usage.label(score) for score in (0.0, 0.39, 0.4, 0.5, 0.69, 0.7, 1.0, math.nan)]
    assert said == ["normal", "normal", "", "", "", "covid", "covid", ""]


def test_labels_have_the_names_of_the_cohort():
    table = pd.DataFrame({"cohort": list("aaab"), "target": [0, 1, 1, 1], "label": ["no", "yes", "yes", "other"]})
    assert labels_of(table, "a") == ("no", "yes")
    assert labels_of(table, "b") == ("negative", "other")


def test_what_was_written_is_read_and_a_damaged_file_is_one_sentence(tmp_path):
    usage = usage_of(SETTING, [scores([0, 1], [1.0, 0.2])], ("normal", "폐렴"))
    path = tmp_path / "usage.json"
    with pytest.raises(CxrbenchError, match=r"usage\.json, .* does not exist; .*'cxrbench track'"):
        read_usage(path)
    path.write_text(as_json(usage), encoding="utf-8")
    assert read_usage(path) == usage
    whole = json.loads(path.read_text(encoding="utf-8"))
    for wrong in ("", "[]", "{}", *({**whole, **one} for one in ({"threshold": 2}, {"abstain": 1}, {"image_size": 0}))):
        path.write_text(wrong if isinstance(wrong, str) else json.dumps(wrong))
        with pytest.raises(CxrbenchError, match=r"usage\.json is damaged"):
            read_usage(path)
