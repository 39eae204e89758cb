"""Metadata first, then the network, and a band where neither says."""

import math

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from cxrbench.base.tables import TABLES
from cxrbench.views.decide import called, decide, errors

CASES = [  # view by metadata, P(frontal), kept as frontal by, reason to review
    ("frontal", math.nan, "metadata", None),
    ("frontal", 0.99, "metadata", None),
    ("frontal", 0.5, "metadata", None),
    ("frontal", 0.01, "metadata", "disagrees"),
    ("lateral", 0.01, None, None),
    ("lateral", 0.99, None, "disagrees"),
    ("", 0.90, "network", None),
    ("", 0.89, None, "abstains"),
    ("", 0.10, None, "abstains"),
    ("", 0.09, None, None),
    ("", math.nan, None, "no number"),
    ("lateral", math.nan, None, None),
]


def test_every_case_of_metadata_and_score():
    frame = pd.DataFrame(dict.fromkeys(TABLES["manifest"], ""), index=range(len(CASES)))
    frame = frame.assign(
        image_id=[str(k) for k in range(len(CASES))], view=[c[0] for c in CASES], view_score=[c[1] for c in CASES]
    )
    frontal, review = decide(frame, (0.1, 0.9))
    assert dict(zip(frontal["image_id"], frontal["view_by"])) == {str(k): c[2] for k, c in enumerate(CASES) if c[2]}
    assert (frontal["view"] == "frontal").all()
    reasons = dict(zip(review["image_id"], review["reason"]))
    assert set(reasons) == {str(k) for k, c in enumerate(CASES) if c[3]}
    assert all(CASES[int(k)][3] in reason for k, reason in reasons.items())


@given(
    st.lists(st.tuples(st.booleans(), st.floats(0, 1) | st.just(math.nan)), min_size=1),
    st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted),
)
def test_every_image_is_right_wrong_or_left_open(images, abstain):
    frontal, score = (np.array(column) for column in zip(*images))
    found = errors(frontal, score, abstain)
    view = called(score, abstain)
    assert found["frontal"] + found["lateral"] == len(images)
    assert found["frontal_abstained"] + found["lateral_abstained"] == (view == "").sum()
    right = (view == np.where(frontal, "frontal", "lateral")).sum()
    wrong = found["frontal_called_lateral"] + found["lateral_called_frontal"]
    assert right + wrong + (view == "").sum() == len(images)
    assert (view[np.isnan(score)] == "").all()


def test_each_error_is_counted_under_its_own_view():
    frontal = np.array([True, True, True, False, False])
    score = np.array([0.05, 0.5, 0.95, 0.95, 0.5])
    assert errors(frontal, score, (0.1, 0.9)) == {
        "frontal": 3, "frontal_called_lateral": 1, "frontal_abstained": 1,
        "lateral": 2, "lateral_called_frontal": 1, "lateral_abstained": 1,
    }  # fmt: skip
