"""Metadata first, then the network, and a band where neither says."""

import math

import pandas as pd

from cxrbench.manifest import TABLES
from cxrbench.views.decide import decide

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
    ("", math.nan, None, "abstains"),
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
