"""One run as a figure: its losses by epoch and its ROC curve. Drawn with Matplotlib's Figure alone, no global state."""

from typing import TYPE_CHECKING

import pandas as pd

from cxrbench.evaluation.metrics import roc_points

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TRAINING, VALIDATION = "#0072b2", "#d55e00"  # after Okabe & Ito 2008


def draw_run(history: pd.DataFrame, scores: pd.DataFrame) -> "Figure":
    """The figure of one run from its tables 'history' and 'scores'; ROC on test, on validation where there is no test.

    Losses are as the run's own loss function gives them.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    losses, roc = figure.subplots(1, 2)
    losses.plot(history["epoch"], history["loss"], color=TRAINING, marker=".", label="training")
    losses.plot(history["epoch"], history["val_loss"], color=VALIDATION, marker=".", linestyle="--", label="validation")
    losses.set(title="Loss", xlabel="epoch", ylabel="loss")
    losses.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    losses.legend()
    part = "test" if (scores["part"] == "test").any() else "validation"
    images = scores[scores["part"] == part]
    roc.plot([0, 1], [0, 1], color="lightgrey")
    roc.plot(*roc_points(images["target"].to_numpy(), images["score"].to_numpy()), color=TRAINING)
    roc.set(title=f"ROC, {part}", xlabel="1 − specificity", ylabel="sensitivity", aspect="equal")
    return figure
