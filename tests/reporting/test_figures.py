import xml.etree.ElementTree as ElementTree

import numpy as np

from cxrbench.reporting.figures import COLOURS, INK, Line, line_chart

LINES = [Line(style, [1, 2, 3], [0.1 * style, 0.5, 0.9]) for style in range(8)]


def test_the_same_data_give_the_same_svg_and_it_is_well_formed():
    first = line_chart(LINES, "Title", "epoch", "loss")
    assert first == line_chart(LINES, "Title", "epoch", "loss")
    ElementTree.fromstring(first.replace("xlink:href", "href"))


def test_a_chart_takes_all_its_colours_from_the_page():
    text = line_chart(LINES, "Title", "epoch", "loss")
    assert "var(--c0)" in text
    assert "currentColor" in text
    assert not any(colour in text for colour in (*COLOURS, INK, "<metadata"))


def test_a_run_that_diverged_or_lacks_a_class_still_has_a_chart():
    for lines in ([], [Line(0, [1, 2], [np.nan, np.nan])], [Line(0, np.empty(0), np.empty(0))]):
        assert line_chart(lines, "ROC", "x", "y", roc=True).startswith("<svg")
