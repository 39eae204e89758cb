"""Frontal or lateral: metadata first, the network for what metadata leaves open, a band where neither says.

The network also looks at images whose view is known; where it is sure of the opposite, a person should look.
"""

import numpy as np
import pandas as pd

from cxrbench.base.tables import TABLES

ABSTAINS = "the network abstains"
NO_SCORE = "the network gives no number"
DISAGREES = "the network disagrees with the metadata"


def called(score: np.ndarray, abstain: tuple[float, float]) -> np.ndarray:
    """The network's view, str [n] of frontal, lateral or empty, from P(frontal), float [n].

    Frontal from ``abstain[1]`` upwards, lateral below ``abstain[0]``; nothing between, nor of NaN.
    """
    low, high = abstain
    return np.select([score >= high, score < low], ["frontal", "lateral"], "")


def decide(images: pd.DataFrame, abstain: tuple[float, float]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The frontal table and the review table of manifest rows with ``view_score``: P(frontal), or NaN: not scored.

    An image of open view is what the network calls it; where it calls nothing, the image is left out and put on
    the review list.
    """
    open_view = images["view"] == ""
    by_network = called(images["view_score"].to_numpy(), abstain)
    view = images["view"].where(~open_view, by_network)
    reason = np.select(
        [
            open_view & images["view_score"].isna(),
            open_view & (view == ""),
            ~open_view & (by_network != "") & (view != by_network),
        ],
        [NO_SCORE, ABSTAINS, DISAGREES],
        "",
    )
    decided = images.assign(view=view, view_by=np.where(open_view, "network", "metadata"))
    frontal = decided[view == "frontal"][list(TABLES["frontal"])]
    review = images.assign(reason=reason)[reason != ""][list(TABLES["review"])]
    return frontal.reset_index(drop=True), review.reset_index(drop=True)


def errors(frontal: np.ndarray, score: np.ndarray, abstain: tuple[float, float]) -> dict[str, int]:
    """What the network gets wrong or leaves open, counted by view; ``frontal`` is bool [n], ``score`` P(frontal)."""
    view = called(score, abstain)
    return {
        "frontal": int(frontal.sum()),
        "frontal_called_lateral": int((frontal & (view == "lateral")).sum()),
        "frontal_abstained": int((frontal & (view == "")).sum()),
        "lateral": int((~frontal).sum()),
        "lateral_called_frontal": int((~frontal & (view == "frontal")).sum()),
        "lateral_abstained": int((~frontal & (view == "")).sum()),
    }
