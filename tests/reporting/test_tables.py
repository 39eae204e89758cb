import math
from pathlib import Path

import pandas as pd
import pytest

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.tables import TABLES
from cxrbench.evaluation.comparisons import Comparison, Contrast
from cxrbench.evaluation.summaries import Stat, by_split, summarise, winner
from cxrbench.published.papers import load
from cxrbench.reporting import tables
from cxrbench.reporting.study import winner_sentence

REPO = Path(__file__).resolve().parents[2]
GOLDEN = Path(__file__).parent / "golden"
SETTINGS = ["batch_size=4", "batch_size=8", "batch_size=16", "batch_size=32"]


def metrics_of(accuracies, study="batch-size", seeds=(0, 1, 2)):
    """A metrics table whose every share follows from the setting's accuracy and the seed; None: diverged."""
    rows = []
    for setting, accuracy in accuracies.items():
        for part in ("validation", "test"):
            for seed in seeds:
                value = math.nan if accuracy is None and seed == 1 else (accuracy or 0.9) - 0.005 * seed
                status = "diverged" if math.isnan(value) else "degenerate" if value < 0.7 else "ok"
                shares = dict.fromkeys(("accuracy", "precision", "recall", "specificity", "f1", "auc"), value)
                rows.append({"study": study, "setting": setting, "seed": seed, "run": f"{setting}-{seed}",
                             "part": part, "status": status, "n": 500, **shares, "loss": 1 - value,
                             "mse": (1 - value) / 2, "first_epoch_seconds": 9.5, "epoch_seconds": 2.25})  # fmt: skip
    return pd.DataFrame(rows)[list(TABLES["metrics"])]


METRICS = metrics_of(dict(zip(SETTINGS, (0.6, 0.95, None, 0.93))))
SUMMARY = summarise(METRICS, "batch-size", SETTINGS, (0, 1, 2))


def pair(setting):
    return Contrast("accuracy", "test", setting, "batch_size=8", (-0.01, 0.01))


def test_the_markdown_table_is_the_one_that_was_agreed_on():
    differences = [
        Comparison(pair("batch_size=4"), "below", -0.35, -0.4, -0.3, 0.98, 400),
        Comparison(pair("batch_size=16"), "blocked", reason="1 of 3 runs of batch_size=16 diverged"),
        Comparison(pair("batch_size=32"), "open", -0.02, -0.05, 0.01, 0.95, 400),
    ]
    built = tables.build(SUMMARY, load(REPO / "data/published")["batch-size"], differences)
    text = tables.markdown("batch-size", built, winner_sentence(SUMMARY), "Source.")
    assert text == (GOLDEN / "batch-size.md").read_text(encoding="utf-8")


def test_a_diverged_run_leaves_no_mean_over_the_others_but_its_fellows_stay_visible():
    row = SUMMARY["test"]["batch_size=16"]
    assert math.isnan(row.stats["accuracy"].mean)
    cell = tables.build(SUMMARY, None, [])[1].rows["batch_size=16"][0]
    assert cell.text == "–"
    assert len(cell.points) == 2
    assert tables.build(SUMMARY, None, [])[1].flags == {
        "batch_size=4": "3 of 3 call one class only",
        "batch_size=16": "1 of 3 diverged",
    }


def test_the_winner_is_named_on_validation_never_on_test():
    table = metrics_of({"a": 0.9, "b": 0.8})
    table.loc[(table["part"] == "test") & (table["setting"] == "b"), "accuracy"] = 0.99
    summary = summarise(table, "batch-size", ["a", "b"], (0, 1, 2))
    assert winner(summary) == "a"
    assert winner_sentence(summary).startswith("Winner on validation: a")


def test_equal_accuracies_go_to_the_lower_loss_and_a_diverged_setting_never_wins():
    table = metrics_of({"a": 0.9, "b": 0.9, "c": None})
    table.loc[table["setting"] == "b", "loss"] = 0.01
    assert winner(summarise(table, "batch-size", ["a", "b", "c"], (0, 1, 2))) == "b"
    assert winner(summarise(metrics_of({"c": None}), "batch-size", ["c"], (0, 1, 2))) is None


def test_accuracies_on_other_images_do_not_make_a_winner():
    splits = {"a": ("paper",), "b": ("official",), "c": ("paper",), "d": ("official",)}
    table = metrics_of({"a": 0.8, "b": 0.99, "c": 0.85, "d": 0.98})
    summary = summarise(table, "batch-size", list(splits), (0, 1, 2), splits)
    assert winner(summary) == "c"
    groups = by_split(summary)
    assert {split: winner(group) for split, group in groups.items()} == {("paper",): "c", ("official",): "b"}
    assert [list(group["test"]) for group in groups.values()] == [["a", "c"], ["b", "d"]]


def test_a_missing_run_is_an_error_that_names_it_and_counts_the_others():
    table = METRICS[~((METRICS["setting"] == "batch_size=8") & (METRICS["seed"] == 2))]
    with pytest.raises(CxrbenchError, match=r"setting batch_size=8, seed 2 \(2 of 3 runs are there\)"):
        summarise(table, "batch-size", SETTINGS, (0, 1, 2))


def test_the_spread_is_the_sample_standard_deviation():
    assert Stat((1.0, 2.0, 4.0)).sd == pytest.approx(1.5275252)
    assert math.isnan(Stat((1.0,)).sd)


@pytest.mark.parametrize(
    ("metric", "ends", "text"),
    [
        ("accuracy", (-0.0123,), "−1.23 points"),
        ("auc", (0.01, 0.02), "[+0.0100 to +0.0200]"),
        ("loss", (0.5,), "+0.5000 nats"),
        ("epoch_seconds", (math.log(1.1),), "+10.0 %"),
    ],
)
def test_a_difference_has_a_sign_and_a_unit(metric, ends, text):
    assert tables.gap(metric, *ends) == text
