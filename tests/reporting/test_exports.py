import json
import math

import pandas as pd
import pytest

from cxrbench.evaluation.comparisons import Comparison, Contrast
from cxrbench.evaluation.summaries import summarise
from cxrbench.evaluation.verdicts import Claim, Verdict
from cxrbench.reporting import exports
from tests.reporting import test_protocols
from tests.reporting.test_tables import SETTINGS, SUMMARY, metrics_of

CLAIM = Claim("c", "s", "A beats B", "better", "accuracy", "test", ("a",), ("b",))
DECISIVE = Comparison(Contrast("accuracy", "test", "a", "b", (-0.01, 0.01)), "open", 0.02, -0.01, 0.05, 0.98, 400)
VERDICTS = [Verdict(CLAIM, "undecided", "Because.", 3, DECISIVE, 12.0), Verdict(CLAIM, "not tested", "No run.")]
DIVERGED = summarise(metrics_of({"a": None}, study="x"), "x", ["a"], (0, 1, 2))


def test_metrics_json_holds_a_dozen_flat_numbers_and_nulls_where_there_is_none():
    no_test = {"validation": SUMMARY["validation"]}
    figures = exports.key_figures(VERDICTS, {"batch-size": SUMMARY, "views": no_test, "x": DIVERGED})
    assert figures == {
        "supported": 0,
        "contradicted": 0,
        "undecided": 1,
        "untested": 1,
        "batch-size.test": 0.945,
        "views.validation": 0.945,
        "x.test": None,
    }
    json.dumps(figures, allow_nan=False)


@pytest.mark.parametrize("study", ["supported", "claims", "undecided"])
def test_no_name_of_a_study_hides_a_count_of_claims(study):
    figures = exports.key_figures(VERDICTS, {study: SUMMARY})
    assert len(figures) == 5
    assert figures["undecided"] == 1


def test_every_mean_is_a_row_with_its_spread_and_number_of_seeds():
    table = exports.means({"batch-size": SUMMARY}).set_index(["study", "setting", "part", "metric"])
    assert table.loc[("batch-size", "batch_size=8", "test", "accuracy")].tolist() == pytest.approx([0.945, 0.005, 3])
    assert math.isnan(table.loc[("batch-size", "batch_size=16", "test", "auc"), "mean"])
    assert len(table) == len(SETTINGS) * 2 * 10


def test_a_winner_is_named_with_its_accuracies_and_where_all_diverged_there_is_none():
    table = exports.winners({"batch-size": SUMMARY, "x": DIVERGED})
    assert table.iloc[0].tolist() == ["batch-size", "batch_size=8", pytest.approx(0.945), pytest.approx(0.945)]
    assert table.iloc[1]["winner"] == ""
    assert table.iloc[1].isna().sum() == 2


def test_a_claim_is_a_row_with_its_decisive_comparison_and_the_seeds_it_needs():
    table = exports.claims(VERDICTS)
    first = table.iloc[0].to_dict()
    assert (first["verdict"], first["seeds_needed"], first["setting"], first["rival"]) == ("undecided", "12", "a", "b")
    assert (first["difference"], first["low"], first["high"], first["confidence"]) == (0.02, -0.01, 0.05, 0.98)
    assert (table.iloc[1]["verdict"], table.iloc[1]["seeds_needed"]) == ("not tested", "")
    assert pd.isna(table.iloc[1]["difference"])


def test_a_change_of_protocol_is_a_row_with_both_winners_and_the_order():
    effect = test_protocols.effect_of(test_protocols.ACCURACIES, test_protocols.NAMED)
    table = exports.protocol_changes([effect]).set_index(["setting", "protocol", "metric"])
    row = table.loc[("lr=0.1", "patient", "accuracy")]
    assert row["change"] == pytest.approx(-0.05)
    assert (row["winner"], row["winner_under_paper"], row["kendall_tau"]) == ("lr=0.1", "lr=0.01", -1)
