import re
import xml.etree.ElementTree as ElementTree

import numpy as np

from cxrbench.evaluation.seed_bands import Band, over_runs
from cxrbench.reporting.figures import Drawing, Line, line_chart

X = np.array([1.0, 2, 3])


def line(style, runs=3, x=X):
    return Line(style, over_runs(x, np.array([0.1 * style + 0.05 * run + x / 10 for run in range(runs)])))


def chart(lines, **more):
    return line_chart(Drawing("chart-a", "Loss <of> all", lines, "epoch", "loss", **more), "What it shows.")


def drawn(svg, name):
    return [one for one in ElementTree.fromstring(svg).iter() if one.get("class") == name]


def test_the_same_data_give_the_same_svg_and_it_is_well_formed():
    lines = [line(style) for style in range(8)]
    assert chart(lines) == chart(lines)
    ElementTree.fromstring(chart(lines))


def test_a_chart_has_a_title_and_a_description_that_it_names():
    tree = ElementTree.fromstring(chart([line(0)]))
    texts = {one.get("id"): one.text for one in tree if one.get("id")}
    assert tree.get("role") == "img"
    assert texts[tree.get("aria-labelledby")] == "Loss <of> all"
    assert texts[tree.get("aria-describedby")] == "What it shows."


def test_every_setting_is_a_line_and_a_band_and_no_two_settings_look_alike():
    svg = chart([line(style) for style in range(12)])
    lines, bands = drawn(svg, "line"), drawn(svg, "band")
    assert len(lines) == len(bands) == 12
    assert len({(one.get("stroke"), one.get("stroke-dasharray")) for one in lines}) == 12
    assert len({one.get("stroke-dasharray") for one in lines[:4]}) == 4  # told apart without their colours
    assert [one.get("fill") for one in bands] == [one.get("stroke") for one in lines]


def test_a_chart_takes_all_its_colours_from_the_page():
    assert not re.search(r"#[0-9a-fA-F]{3}|rgb", chart([line(0)]))


def test_one_run_has_a_line_and_no_band():
    svg = chart([line(0, runs=1)])
    assert len(drawn(svg, "line")) == 1
    assert drawn(svg, "band") == []


def test_one_epoch_is_a_dot_and_a_bar_from_lowest_to_highest():
    svg = chart([line(0, x=np.array([1.0]))])
    assert svg.count("<circle") == 1
    assert len(drawn(svg, "line")) == 1


def test_the_band_goes_from_the_lowest_run_to_the_highest_and_the_line_lies_in_it():
    svg = chart([line(0)])
    (band,), (middle,) = drawn(svg, "band"), drawn(svg, "line")
    heights = [float(y) for y in re.findall(r" ([\d.]+)", band.get("d"))]
    low, high, mean = heights[:3], heights[3:][::-1], [float(y) for y in re.findall(r" ([\d.]+)", middle.get("d"))]
    assert all(h < m < lo for h, m, lo in zip(high, mean, low))  # SVG's heights count downwards


def test_a_gap_in_a_curve_is_no_line():
    values = np.array([[0.1, np.nan, 0.3, 0.4], [0.2, np.nan, 0.4, 0.5]])
    svg = chart([Line(0, over_runs(np.arange(1.0, 5), values))])
    (path,) = drawn(svg, "line")
    assert path.get("d").count("M") == 2
    assert "nan" not in svg


def test_a_run_that_diverged_or_lacks_a_class_still_has_a_chart():
    empty, nothing = np.empty(0), np.full(3, np.nan)
    for lines in ([], [Line(0, Band(X, nothing, nothing, nothing, np.zeros(3)))], [Line(0, Band(*[empty] * 5))]):
        for shares in (False, True):
            svg = chart(lines, shares=shares, reference=((0, 1), (0, 1)))
            ElementTree.fromstring(svg)
            assert "nan" not in svg
