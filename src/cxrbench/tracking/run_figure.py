"""One run as a figure: its losses by epoch and its ROC curve. Drawn with Matplotlib's Figure alone, no global state."""

from typing import TYPE_CHECKING

import pandas as pd

from cxrbench.evaluation.metrics import roc_points

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PLACES = {"left": 0.07, "right": 0.98, "bottom": 0.14, "top": 0.92, "wspace": 0.2}
POINTS = 50  # epochs from which on a curve shows no single ones
TRAINING, VALIDATION = "#0072b2", "#d55e00"  # after Okabe & Ito 2008


def draw_run(history: pd.DataFrame, scores: pd.DataFrame) -> "Figure":
    """The figure of one run from its tables 'history' and 'scores'; ROC on test, on validation where there is no test.

    Losses are as the run's own loss function gives them.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(9, 3.6))  # places by hand: a layout engine draws all twice, and a grid has many runs
    losses, roc = figure.subplots(1, 2, gridspec_kw=PLACES)
    marker = "." if len(history) < POINTS else ""
    losses.plot(history["epoch"], history["loss"], color=TRAINING, marker=marker, label="training")
    validation = {"color": VALIDATION, "marker": marker, "linestyle": "--", "label": "validation"}
    losses.plot(history["epoch"], history["val_loss"], **validation)
    losses.set_title("Loss", y=1)
    losses.set(xlabel="epoch", ylabel="loss")
    losses.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    losses.yaxis.set_major_locator(MaxNLocator(nbins=5))
    losses.legend(loc="upper right")
    part = "test" if (scores["part"] == "test").any() else "validation"
    images = scores[scores["part"] == part]
    roc.plot([0, 1], [0, 1], color="lightgrey")
    roc.plot(*roc_points(images["target"].to_numpy(), images["score"].to_numpy()), color=TRAINING)
    roc.set_title(f"ROC, {part}", y=1)
    few = (0, 0.5, 1)
    roc.set(xlabel="1 − specificity", ylabel="sensitivity", aspect="equal", xticks=few, yticks=few)
    return figure
