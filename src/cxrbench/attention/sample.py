"""About which images a network is asked: hits and misses, drawn by a seed."""

import numpy as np
import pandas as pd

from cxrbench.evaluation.metrics import THRESHOLD

SEED = 0
PER_GROUP = 25  # images at most
GROUPS = {  # name -> target, and what the network calls
    "true positive": (1, 1),
    "true negative": (0, 0),
    "false positive": (0, 1),
    "false negative": (1, 0),
}


def hits_and_misses(scores: pd.DataFrame) -> pd.DataFrame:
    """At most PER_GROUP images of each of GROUPS: rows of the table 'scores' with their ``group`` and ``called``.

    Of the test images, or of the validation images where the run has no others. The same images whatever the order of
    the table.
    """
    part = "test" if (scores["part"] == "test").any() else "validation"
    seen = scores[scores["part"] == part].sort_values(["source", "image_id"], ignore_index=True)
    called = (seen["score"] >= THRESHOLD).astype("int64")
    drawn = []
    for number, (group, (target, call)) in enumerate(GROUPS.items()):
        places = np.flatnonzero((seen["target"] == target) & (called == call))
        chosen = np.random.default_rng([SEED, number]).permutation(places)[:PER_GROUP]
        drawn.append(seen.iloc[chosen].assign(group=group, called=call))
    return pd.concat(drawn, ignore_index=True)
