"""What a run's per-image scores amount to: one number a metric, and whether they mean anything.

A score is P(target = 1). Everything is computed from scores, so a new metric needs no retraining, and every
metric but AUC is a ratio of sums over images, so the same formulas serve one run and its resamples alike.
Undefined ratios are NaN: the precision of a model that never calls 1, the recall where no image is 1.
``loss`` is the cross-entropy of the stored probability in nats, whatever loss the run was trained with, so runs
of different training losses are compared in one unit; ``mse`` is the Brier score.

Another metric has a module, which is found by its name (``base.plugins``) and asked for in report.metrics:

    TITLE: str                        what the report calls it
    value(target, score, weights)     (n,) of 0 and 1, (n,), (r, n) how often each image counts -> (r,) float64
    PERCENT, LOWER_IS_BETTER: bool    whether it is a share, shown in %; which end is the good one; no and high
    MOST: float                       the largest value that it can have, the least is 0; 1
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from cxrbench.base import plugins

THRESHOLD = 0.5  # a score from here on calls 1
CLIP = 1e-7  # keeps the logarithm of a certain and wrong call finite (16.1 nats)
METRICS = ("accuracy", "precision", "recall", "specificity", "f1", "auc", "loss", "mse")
TIMES = ("first_epoch_seconds", "epoch_seconds")
LOWER_IS_BETTER = ("loss", "mse", *TIMES)
SUMS = ("n", "tp", "fp", "fn", "tn", "loss", "mse")


@dataclasses.dataclass(frozen=True)
class OwnMetric:
    """What the module of a metric says of it."""

    title: str
    value: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
    percent: bool
    lower_is_better: bool
    most: float


def own(name: str) -> OwnMetric:
    """The metric of one's own of this name; raises CxrbenchError where no module has it."""
    module = plugins.load("metric", name)
    optional = {"percent": ("PERCENT", False), "lower_is_better": ("LOWER_IS_BETTER", False), "most": ("MOST", 1.0)}
    said: dict[str, Any] = {field: getattr(module, *key_and_default) for field, key_and_default in optional.items()}
    return OwnMetric(module.TITLE, module.value, **said)


def lower_is_better(metric: str) -> bool:
    """Whether a low value of the metric or time is the good one."""
    return metric in LOWER_IS_BETTER if metric in (*METRICS, *TIMES) else own(metric).lower_is_better


def most(metric: str) -> float:
    """The largest value that the metric can have; the least is 0."""
    return float("inf") if metric == "loss" else 1.0 if metric in METRICS else own(metric).most


def evaluate(target: np.ndarray, score: np.ndarray) -> tuple[str, dict[str, float]]:
    """The status (ok, degenerate: one class only is ever called, diverged) and every metric of one run.

    ``target`` is (n,) of 0 and 1, ``score`` (n,) float; a score that is not finite makes the run diverged and
    every metric NaN, for a mean over the images that happen to be finite would flatter it.
    """
    if not np.isfinite(score).all():
        return "diverged", dict.fromkeys(METRICS, float("nan"))
    sums = image_sums(target, score).sum(axis=0)
    values = {name: float(ratio(name, sums)) for name in METRICS if name != "auc"}
    values["auc"] = float(weighted_auc(target, score, np.ones((1, len(score))))[0])
    called = score >= THRESHOLD
    status = "degenerate" if called.all() or not called.any() else "ok"
    return status, {name: values[name] for name in METRICS}


def image_sums(target: np.ndarray, score: np.ndarray) -> np.ndarray:
    """What each image adds to each of SUMS: (..., n, 7) float64; ``target`` is (n,), ``score`` (..., n)."""
    positive, called = target == 1, score >= THRESHOLD
    certain = np.clip(score, CLIP, 1 - CLIP)
    columns = (
        np.ones(score.shape),
        positive & called,
        ~positive & called,
        positive & ~called,
        ~positive & ~called,
        -np.log(np.where(positive, certain, 1 - certain)),
        (score - target) ** 2,
    )
    return np.stack([np.asarray(column, dtype="float64") for column in columns], axis=-1)


def ratio(metric: str, sums: np.ndarray) -> np.ndarray:
    """A metric from ``sums`` (..., 7), ordered as SUMS; NaN where it is undefined."""
    return quotient(*terms(metric, sums))


def terms(metric: str, sums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What ``metric`` divides, and by what, from ``sums`` (..., 7): of one image or, since both are sums, of many."""
    n, tp, fp, fn, tn, loss, mse = np.moveaxis(sums, -1, 0)
    return {
        "accuracy": (tp + tn, n),
        "precision": (tp, tp + fp),
        "recall": (tp, tp + fn),
        "specificity": (tn, tn + fp),
        "f1": (2 * tp, 2 * tp + fp + fn),
        "loss": (loss, n),
        "mse": (mse, n),
    }[metric]


def quotient(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """NaN where nothing is divided by."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(below > 0, above / below, np.nan)


def weighted_auc(target: np.ndarray, score: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Area under the ROC curve for each row of image weights: the share of (1, 0) pairs in right order.

    ``weights`` is (r, n), how often each image counts; a tie counts half (Hanley & McNeil 1982). Returns (r,),
    NaN where a row holds one class only.
    """
    ones, zeros = np.flatnonzero(target == 1), np.flatnonzero(target != 1)
    zeros = zeros[np.argsort(score[zeros], kind="stable")]
    below = np.searchsorted(score[zeros], score[ones], side="left")
    or_tied = np.searchsorted(score[zeros], score[ones], side="right")
    result = np.empty(len(weights))
    for first in range(0, len(weights), 128):  # blocks that stay in the processor's cache
        block = np.ascontiguousarray(weights[first : first + 128].T, dtype="float64")
        of_ones = block[ones]
        counted = np.zeros((len(zeros) + 1, block.shape[1]))  # zeros up to each rank
        np.cumsum(block[zeros], axis=0, out=counted[1:])
        won = np.einsum("ij,ij->j", of_ones, counted[below] + counted[or_tied]) / 2
        pairs = of_ones.sum(axis=0) * counted[-1]
        with np.errstate(invalid="ignore", divide="ignore"):
            result[first : first + 128] = np.where(pairs > 0, won / pairs, np.nan)
    return result


def roc_points(target: np.ndarray, score: np.ndarray, most: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """The ROC curve as false and true positive rates, rising from (0, 0) to (1, 1), in at most ``most`` points.

    Empty where a score is not finite or one class is missing.
    """
    if not np.isfinite(score).all() or len(np.unique(target)) < 2:
        return np.empty(0), np.empty(0)
    order = np.argsort(-score, kind="stable")
    ends = np.flatnonzero(np.r_[np.diff(score[order]) != 0, True])  # a tie is one step
    true = np.r_[0, np.cumsum(target[order] == 1)[ends]] / (target == 1).sum()
    false = np.r_[0, np.cumsum(target[order] == 0)[ends]] / (target == 0).sum()
    if len(true) <= most:
        return false, true
    # Equal steps along the curve's length keep its bends, equal steps of rank would not.
    walked = true + false
    keep = np.unique(np.searchsorted(walked, np.linspace(0, 2, most)).clip(0, len(walked) - 1))
    return false[keep], true[keep]
