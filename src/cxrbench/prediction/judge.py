"""What is said of a batch of images: the view first, then, of frontal images alone, the finding."""

import dataclasses
import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from cxrbench.prediction.look import Look
from cxrbench.prediction.model import NETWORK, VIEW, Model
from cxrbench.training.hide import Hidden
from cxrbench.views.decide import ABSTAINS, NO_SCORE, called
from cxrbench.views.network import Score
from cxrbench.views.stream import refusal_of

NOT_FRONTAL = "not a frontal chest X-ray"
IN_THE_BAND = "the probability lies in the band where no label is given"
UNUSABLE = "unusable"


@dataclasses.dataclass(frozen=True, slots=True)
class Prediction:
    """A row of the table 'predictions', and what it counts as: a label's name or one of the words above."""

    kind: str
    path: str
    label: str
    finding: str
    probability: float
    threshold: float
    abstain_from: float
    abstain_below: float
    view: str
    view_score: float
    reason: str

    def row(self) -> dict[str, Any]:
        """Column -> value; None where there is none."""
        fields = {name: getattr(self, name) for name in self.__slots__ if name != "kind"}
        return {name: None if value == "" or value != value else value for name, value in fields.items()}  # NaN


def judge(drawn: Sequence[tuple[str, object]], model: Model, score: Score) -> list[Prediction]:
    """What ``model`` says of each file, from its path and a ``Look``, or what stands for one that cannot be used.

    ``score`` asks the networks of ``model.networks`` by their place.
    """
    looks = [one for _, one in drawn if isinstance(one, Look)]
    views, view_scores = _views(looks, model, score)
    frontal = [one.square for one, view in zip(looks, views) if model.view is None or view == "frontal"]
    probabilities = iter(_probabilities(frontal, model, score))
    seen = zip(views, view_scores)
    said = []
    for path, one in drawn:
        if refusal := refusal_of(path, one):
            reason = f"{refusal.reason}: {refusal.detail}"
            said.append(_row(model, path, UNUSABLE, reason=reason))
            continue
        view, view_score = next(seen)
        if model.view is not None and view != "frontal":
            why = view or (NO_SCORE if math.isnan(view_score) else ABSTAINS)
            reason = f"{NOT_FRONTAL}: {why}"
            said.append(_row(model, path, NOT_FRONTAL, view=view, view_score=view_score, reason=reason))
            continue
        said.append(_called(model, path, next(probabilities), view, view_score))
    return said


def _views(looks: Sequence[Look], model: Model, score: Score) -> tuple[list[str], list[float]]:
    if model.view is None or not looks:
        return [""] * len(looks), [math.nan] * len(looks)
    scores = score(np.stack([one.view for one in looks])[..., None], VIEW)
    return [str(view) for view in called(scores, model.view.abstain)], [float(one) for one in scores]


def _probabilities(squares: Sequence[np.ndarray], model: Model, score: Score) -> Iterable[float]:
    if not squares:
        return []
    images = Hidden(np.stack(squares)[..., None], model.usage.hide)[np.arange(len(squares))]
    return map(float, score(images, NETWORK))


def _called(model: Model, path: str, probability: float, view: str, view_score: float) -> Prediction:
    label = model.usage.label(probability)
    reason = "" if label else NO_SCORE if math.isnan(probability) else IN_THE_BAND
    return _row(model, path, label or IN_THE_BAND, label, probability, view, view_score, reason)


def _row(
    model: Model,
    path: str,
    kind: str,
    label: str = "",
    probability: float = math.nan,
    view: str = "",
    view_score: float = math.nan,
    reason: str = "",
) -> Prediction:
    usage = model.usage
    frozen = (usage.threshold, *usage.abstain)
    return Prediction(kind, path, label, usage.positive, probability, *frozen, view, view_score, reason)
