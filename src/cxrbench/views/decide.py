"""Frontal or lateral: metadata first, the network for what metadata leaves open, a band where neither says.

The network also looks at images whose view is known; where it is sure of the opposite, a person should look.
"""

import numpy as np
import pandas as pd

from cxrbench.manifest import TABLES


def decide(images: pd.DataFrame, abstain: tuple[float, float]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The frontal table and the review table of manifest rows with ``view_score``: P(frontal), or NaN: not scored.

    An image of open view is frontal from ``abstain[1]`` upwards and lateral below ``abstain[0]``; between, it
    is left out and put on the review list.
    """
    low, high = abstain
    score = images["view_score"]
    open_view = images["view"] == ""
    by_network = np.select([score >= high, score < low], ["frontal", "lateral"], "")
    view = images["view"].where(~open_view, by_network)
    reason = np.select(
        [open_view & (view == ""), ~open_view & (by_network != "") & (view != by_network)],
        ["the network abstains", "the network disagrees with the metadata"],
        "",
    )
    decided = images.assign(view=view, view_by=np.where(open_view, "network", "metadata"))
    frontal = decided[view == "frontal"][list(TABLES["frontal"])]
    review = images.assign(reason=reason)[reason != ""][list(TABLES["review"])]
    return frontal.reset_index(drop=True), review.reset_index(drop=True)
