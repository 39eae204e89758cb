"""The section of one study: its heading and what it says of the best, setting by setting and split by split."""

import itertools

import numpy as np
import pandas as pd
import pytest

from cxrbench.base.tables import TABLES
from cxrbench.config.setting import Setting
from cxrbench.evaluation.comparisons import Rules
from cxrbench.evaluation.study_settings import StudySetting, run_of, split_of
from cxrbench.evaluation.summaries import summarise
from cxrbench.reporting.study import section
from tests.evaluation.test_best_group import drawn
from tests.reporting.test_tables import metrics_of

RULES = Rules(confidence=0.95, margin=0.01, resamples=100, seed=0)
NOTHING = {name: pd.DataFrame(columns=list(TABLES[name])) for name in ("shortcuts", "history")}


def section_of(choices, accuracies):
    """The section of settings with these choices, whose runs reach ``accuracies``."""
    settings = {
        ", ".join(f"{name}={value}" for name, value in one.items()): StudySetting(Setting(**one).model_dump())
        for one in choices
    }
    labels, were_run = list(settings), run_of(settings)
    runs = drawn(np.random.default_rng(0), [3 * accuracy for accuracy in accuracies])
    summary = summarise(
        metrics_of(dict(zip(labels, accuracies)), study="s"),
        "s",
        labels,
        (0, 1, 2),
        {label: split_of(setting) for label, setting in were_run.items()},
    )
    learning = pd.DataFrame(columns=["study", "setting", "seed", "epoch", "loss", "val_accuracy"])
    of_labels = dict(zip(labels, runs.values()))
    return section("s", settings, summary, of_labels, None, (), NOTHING["shortcuts"], learning, {}, RULES)


@pytest.fixture(scope="module")
def by_protocol():
    rates, protocols = (0.1, 0.01, 0.001), ("paper", "patient")
    choices = [{"lr": lr, "protocol": protocol} for lr, protocol in itertools.product(rates, protocols)]
    return section_of(choices, (0.7, 0.99, 0.9, 0.8, 0.8, 0.9))


def test_every_protocol_has_a_winner_of_its_own_and_is_compared_with_no_other(by_protocol):
    paper, patient = by_protocol.answers
    assert paper.startswith("protocol=paper: Winner on validation: lr=0.01, protocol=paper, ")
    assert patient.startswith("protocol=patient: Winner on validation: lr=0.1, protocol=patient, ")
    assert "protocol=patient" not in paper
    (test,) = [table for table in by_protocol.tables if table.part == "test"]
    winners = {"lr=0.01, protocol=paper", "lr=0.1, protocol=patient"}
    assert set(test.differences) == set(test.rows) - winners == set(test.beaten)
    assert [one.winner for one in by_protocol.best] == ["lr=0.01, protocol=paper", "lr=0.1, protocol=patient"]
    assert all(setting.endswith(one.winner[-7:]) for one in by_protocol.best for setting in one.beaten)


def test_a_heading_names_few_settings_and_of_many_what_they_differ_in(by_protocol):
    assert by_protocol.question == "How do 6 settings compare that differ in protocol and lr?"
    few = section_of([{"lr": 0.1}, {"lr": 0.01}], (0.8, 0.9))
    assert few.question == "How do these settings compare: lr=0.1, lr=0.01?"
    (answer,) = few.answers
    assert answer.startswith("Winner on validation: lr=0.01, ")
