"""What a file betrays without being looked at: the AUC of its size, area and shape alone.

A classifier is only as good as it is better than these. The direction (larger means 1, or means 0) is taken from
the training images, so an AUC below a half on the test images says that a shortcut turned round.
"""

import numpy as np
import pandas as pd

from cxrbench.evaluation.metrics import weighted_auc
from cxrbench.manifest import PROTOCOLS

FEATURES = ("file size", "pixel area", "aspect ratio")


def shortcut_table(assignment: pd.DataFrame, manifest: pd.DataFrame) -> pd.DataFrame:
    """A row for each cohort and protocol with test images: cohort, protocol, n, and an AUC for each of FEATURES."""
    images = assignment.merge(
        manifest[["cohort", "image_id", "bytes", "width", "height"]], on=["cohort", "image_id"], validate="1:1"
    )
    features = np.stack(
        [images["bytes"], images["width"] * images["height"], images["width"] / images["height"]], axis=1
    ).astype("float64")
    rows = []
    for cohort in images["cohort"].unique():
        for protocol in PROTOCOLS:
            here = images["cohort"] == cohort
            train, test = (here & (images[protocol] == part) for part in ("train", "test"))
            if test.any() and train.any():
                reached = [_auc(images["target"].to_numpy(), column, train, test) for column in features.T]
                rows.append([cohort, protocol, int(test.sum()), *reached])
    return pd.DataFrame(rows, columns=["cohort", "protocol", "n", *FEATURES])


def _auc(target: np.ndarray, value: np.ndarray, train: pd.Series, test: pd.Series) -> float:
    on_train, on_test = (
        float(weighted_auc(target[part], value[part], np.ones((1, int(part.sum()))))[0])
        for part in (train.to_numpy(), test.to_numpy())
    )
    return on_test if on_train >= 0.5 else 1 - on_test
