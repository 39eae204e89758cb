"""What a file betrays without being looked at: the AUC of its size, shape, colour mode, brightness and border alone.

A classifier is only as good as it is better than these. The direction (larger means 1, or means 0) is taken from
the training images, so an AUC below a half on the test images says that a shortcut turned round.
"""

import numpy as np
import pandas as pd

from cxrbench.base.tables import PROTOCOLS, TABLES

FEATURES = ("file size", "pixel area", "aspect ratio", "colour mode", "mean brightness", "border")


def shortcut_table(assignment: pd.DataFrame, manifest: pd.DataFrame) -> pd.DataFrame:
    """The table 'shortcuts': a row for each cohort, each protocol with training and test images, each of FEATURES."""
    names = ["cohort", "image_id"]
    columns = ["bytes", "width", "height", "mode", "brightness", "border"]
    images = assignment.merge(manifest[names + columns], on=names, validate="1:1")
    rows = []
    for cohort, found in images.groupby("cohort", sort=False):
        for protocol in PROTOCOLS:
            train, test = (found[found[protocol] == part] for part in ("train", "test"))
            if len(train) and len(test):
                for feature in FEATURES:
                    rows.append((cohort, protocol, feature, len(test), _reached(train, test, feature)))
    return pd.DataFrame(rows, columns=list(TABLES["shortcuts"]))


def auc(target: np.ndarray, value: np.ndarray) -> float:
    """P(a value of target 1 > one of target 0), a tie counting half (Hanley & McNeil 1982); NaN without both."""
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(target, value)) if 0 < target.sum() < len(target) else float("nan")


def _reached(train: pd.DataFrame, test: pd.DataFrame, feature: str) -> float:
    on_train, on_test = (
        auc(part["target"].to_numpy(), _value(train, part, feature).to_numpy(dtype="float64")) for part in (train, test)
    )
    return on_test if on_train >= 0.5 else 1 - on_test


def _value(train: pd.DataFrame, images: pd.DataFrame, feature: str) -> pd.Series:
    """A number for each image; of a colour mode, how often training images of it are positive."""
    if feature == "colour mode":
        share = train.groupby("mode")["target"].mean()
        return images["mode"].map(share).fillna(train["target"].mean())
    return {
        "file size": images["bytes"],
        "pixel area": images["width"] * images["height"],
        "aspect ratio": images["width"] / images["height"],
        "mean brightness": images["brightness"],
        "border": images["border"],
    }[feature]
