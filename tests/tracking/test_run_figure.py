import numpy as np
import pandas as pd

from cxrbench.tracking.run_figure import draw_run

HISTORY = pd.DataFrame({"epoch": [1, 2], "loss": [0.5, 0.4], "val_loss": [0.6, 0.5]})


def test_the_figure_of_one_run_has_a_panel_of_losses_and_one_of_the_roc_curve():
    scores = pd.DataFrame({"part": ["validation"] * 2, "target": [0, 1], "score": [0.2, 0.8]})
    losses, roc = draw_run(HISTORY, scores).axes
    assert [line.get_ydata().tolist() for line in losses.lines] == [[0.5, 0.4], [0.6, 0.5]]
    assert [text.get_text() for text in losses.get_legend().get_texts()] == ["training", "validation"]
    assert roc.get_title() == "ROC, validation"
    assert roc.lines[1].get_ydata().tolist() == [0, 1, 1]


def test_a_run_that_diverged_has_a_figure_without_a_roc_curve():
    scores = pd.DataFrame({"part": ["test"] * 2, "target": [0, 1], "score": [np.nan, 0.8]})
    history = HISTORY.assign(loss=np.nan, val_loss=np.nan)
    roc = draw_run(history, scores).axes[1]
    assert len(roc.lines[1].get_xdata()) == 0
