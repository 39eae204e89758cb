"""How a trained network is used: how an image is shown to it, and what is said of its score.

The threshold is frozen on the validation images (see ``thresholds``), and so is the band around it in which nothing is
said. As JSON it lies beside the network of a registered model.
"""

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cxrbench.base.errors import CxrbenchError
from cxrbench.evaluation.metrics import THRESHOLD
from cxrbench.evaluation.thresholds import intermediate, youden

FROM_SETTING = {"loss": "binary_crossentropy", "image_size": 0, "resize": "squash", "hide": "nothing"}


@dataclasses.dataclass(frozen=True)
class Usage:
    """What a network needs to be used on grey squares, uint8 [n, image_size, image_size, 1], 0 black to 255 white."""

    loss: str  # its form says which output is the score, P(positive)
    image_size: int  # pixels, square
    resize: str  # squash | pad | trim: as it learnt
    hide: str  # the part of each image that it never saw
    negative: str  # the labels' names
    positive: str
    threshold: float  # a score from here on speaks for positive
    abstain: tuple[float, float]  # a score from the first up to the second: no label

    def label(self, score: float) -> str:
        """What is said of P(positive): a label's name, or nothing inside the band and of NaN."""
        below, upwards = self.abstain
        if score >= upwards:
            return self.positive
        return self.negative if score < below else ""


def usage_of(setting: Mapping[str, Any], scores: Sequence[pd.DataFrame], labels: tuple[str, str]) -> Usage:
    """How the mean of a setting's networks is used, from each one's table 'scores'; ``labels`` names 0 and 1.

    The networks scored the same images. Where the validation images don't give a threshold (one class alone), it is
    0.5 and there is no band.
    """
    tables = [table.sort_values(["source", "image_id"], ignore_index=True) for table in scores]
    validation = (tables[0]["part"] == "validation").to_numpy()
    target = tables[0]["target"].to_numpy()[validation]
    score = np.mean([table["score"].to_numpy() for table in tables], axis=0)[validation]
    threshold = youden(target, score)
    if math.isnan(threshold):
        threshold, band = THRESHOLD, (THRESHOLD, THRESHOLD)
    else:
        band = intermediate(target, score, threshold)
    own = {name: setting.get(name, default) for name, default in FROM_SETTING.items()}
    return Usage(**own, negative=labels[0], positive=labels[1], threshold=threshold, abstain=band)


def labels_of(assignment: pd.DataFrame, cohort: str) -> tuple[str, str]:
    """The names of a cohort's targets 0 and 1, from the table 'assignment'."""
    rows = assignment[assignment["cohort"] == cohort]
    negative, positive = (
        " or ".join(sorted(rows.loc[rows["target"] == target, "label"].unique())) for target in (0, 1)
    )
    return negative or "negative", positive or "positive"


def as_json(usage: Usage) -> str:
    return json.dumps(dataclasses.asdict(usage), indent=1, ensure_ascii=False) + "\n"


def read_usage(path: Path) -> Usage:
    """What ``as_json`` gave, from a file; raises CxrbenchError where it is missing or damaged."""
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        below, upwards = fields["abstain"]
        usage = Usage(**{**fields, "abstain": (float(below), float(upwards))})
        if not 0 <= below <= usage.threshold <= upwards < 1.001 or not 0 < usage.image_size <= 4096:
            raise ValueError(f"threshold {usage.threshold}, abstain {usage.abstain}, image_size {usage.image_size}")
    except FileNotFoundError:
        raise CxrbenchError(
            f"{path}, which says how the network is used, does not exist; log the model anew with 'cxrbench track'"
        ) from None
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise CxrbenchError(f"{path} is damaged ({error!r}); log the model anew with 'cxrbench track'") from None
    return usage
