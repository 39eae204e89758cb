import re

import numpy as np
import pandas as pd
import pytest

from cxrbench.evaluation.comparisons import Run
from cxrbench.evaluation.resampling import Scores
from cxrbench.reporting import charts, confusion

TARGET = np.arange(100) % 2
NAMES = {"a": ("normal", "pneumonia"), "b": ("normal", "pneumonia")}


def run(seed, skill, parts=("validation", "test"), diverged=False):
    rng = np.random.default_rng(seed)
    score = 1 / (1 + np.exp(-skill * (2 * TARGET - 1) - rng.normal(0, 1, 100)))
    scores = Scores(np.arange(100), TARGET, np.full(100, np.nan) if diverged else score)
    return Run(seed, {}, dict.fromkeys(parts, scores), {})


RUNS = {"a": [run(0, 1), run(1, 1), run(2, 1)], "b": [run(3, 2), run(4, 2, diverged=True), run(5, 2)]}


def learning(epochs=20):
    rows = [
        ("s", setting, seed, epoch, 1 / epoch + seed / 100, 1 - 1 / epoch - seed / 100)
        for setting in RUNS
        for seed in range(3)
        for epoch in range(1, epochs + 1)
    ]
    return pd.DataFrame(rows, columns=["study", "setting", "seed", "epoch", "loss", "val_accuracy"])


def made(name="s"):
    return charts.study_charts(name, list(RUNS), RUNS, learning().assign(study=name))


def test_every_chart_says_n_what_line_and_band_are_and_holds_its_numbers():
    found = made()
    assert [one.title for one in found] == [
        "Training loss by epoch",
        "Validation accuracy by epoch",
        "ROC on test",
        "Precision and recall on test",
        "Reliability on test",
    ]
    for one in found:
        assert "n = 3 runs" in one.caption
        assert "band: lowest to highest run" in one.caption
        assert one.table.rows
        assert one.table.runs == "3"
        assert all(len(cells) == len(one.table.heads) - 1 for _, cells in one.table.rows)
        assert "nan" not in str(one).lower()


def test_a_diverged_run_is_named_and_the_numbers_say_how_many_runs_they_are_of():
    roc = made()[2]
    assert "Diverged and not drawn: b (1/3)." in roc.caption
    cells = dict(roc.table.rows)
    assert "n = 2" in cells["b"][0][1]
    assert "n =" not in cells["a"][0][1]


def test_a_table_of_learning_curves_holds_mean_lowest_and_highest_at_a_dozen_epochs():
    rows = dict(made()[0].table.rows)
    assert len(rows) == charts.EPOCHS_SHOWN
    assert (min(map(int, rows)), max(map(int, rows))) == (1, 20)
    assert rows["20"][0] == ("0.060", "0.050 to 0.070")


def test_curves_are_of_validation_where_a_run_has_no_test_images():
    runs = {"a": [run(0, 1), run(1, 1, parts=("validation",))]}
    assert charts.part_of(runs) == "validation"
    titles = [one.title for one in charts.study_charts("s", ["a"], runs, learning())]
    assert titles[2:] == ["ROC on validation", "Precision and recall on validation", "Reliability on validation"]


@pytest.mark.parametrize("name", ["s", "two words", 'a"b', "a-20b", "폐렴"])
def test_no_name_of_a_study_breaks_the_ids_of_its_charts(name):
    ids = [found for one in made(name) for found in re.findall(r' id="([^"]*)"', one.svg)]
    assert len(set(ids)) == len(ids) == 10
    assert all(re.fullmatch(r"[\w-]+", found, re.ASCII) for found in ids)


def test_ids_of_two_studies_differ():
    assert len({charts.chart_id(name, "roc") for name in ("a b", "a-20b", "a", "ab", "a_roc")}) == 5


def test_a_confusion_matrix_holds_mean_counts_lowest_and_highest_and_adds_up():
    target = np.array([0, 0, 0, 1, 1])
    scores = [
        Scores(np.arange(5), target, np.array(values))
        for values in ([0.1, 0.2, 0.6, 0.9, 0.4], [0.1, 0.2, 0.3, 0.5, 0.6], [np.nan] * 5)
    ]
    runs = {"a": [Run(i, {}, {"test": one}, {}) for i, one in enumerate(scores)]}
    (matrix,) = confusion.matrices("test", runs, {"a": ("normal", "pneumonia")})
    assert (matrix.runs, matrix.diverged) == (3, 1)
    shown = [(name, images, [(c.mean, c.spread, c.percent) for c in cells]) for name, images, cells in matrix.rows]
    assert shown == [
        ("normal", 3, [("2.5", "2–3", 83), ("0.5", "0–1", 17)]),
        ("pneumonia", 2, [("0.5", "0–1", 25), ("1.5", "1–2", 75)]),
    ]


def test_a_setting_of_which_every_run_diverged_has_an_empty_matrix():
    runs = {"a": [run(0, 1, diverged=True)]}
    (matrix,) = confusion.matrices("test", runs, {"a": ("normal", "pneumonia")})
    assert (matrix.rows, matrix.diverged) == ((), 1)


def test_classes_have_the_names_of_their_cohort():
    table = pd.DataFrame({"cohort": ["x", "x", "y", "y"], "target": [1, 0, 0, 1], "label": ["p", "n", "lat", "front"]})
    classes = confusion.class_names(table)
    assert classes == {"x": ("n", "p"), "y": ("lat", "front")}
    settings = {"a": {"cohort": "x"}, "b": {"cohort": "unknown"}}
    assert confusion.names_of(settings, classes) == {"a": ("n", "p"), "b": ("0", "1")}
