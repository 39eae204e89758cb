import numpy as np
import pytest

from cxrbench.config.setting import Setting
from cxrbench.evaluation.comparisons import Rules, Run
from cxrbench.evaluation.resampling import Scores
from cxrbench.reporting import protocols
from tests.reporting.test_tables import metrics_of

RULES = Rules(confidence=0.95, margin=0.01, resamples=200, seed=0)
RATES = (0.1, 0.01)


def settings(**more):
    """A study of two learning rates under three protocols, as params.yaml labels its settings."""
    return {
        f"lr={lr}, protocol={protocol}": Setting(lr=lr, protocol=protocol, **more).model_dump()
        for lr in RATES
        for protocol in ("paper", "patient", "official")
    }


def run(accuracy, seed, n=200):
    target = np.arange(n) % 2
    right = np.random.default_rng(seed).permutation(n) < round(accuracy * n)
    patients = np.array([f"p{i}" for i in range(n)])
    return Run(seed, {"test": "ok"}, {"test": Scores(patients, target, np.where(right, target, 1 - target) * 0.8)}, {})


def effect_of(accuracies, named, name="rates"):
    """The effect where each label reaches ``accuracies`` on test and on validation what the summary says."""
    from cxrbench.evaluation.summaries import summarise

    summary = summarise(metrics_of(named, study=name), name, list(named), (0, 1, 2))
    runs = {label: [run(accuracy, seed) for seed in range(3)] for label, accuracy in accuracies.items()}
    return protocols.effect_of(name, {label: settings()[label] for label in named}, runs, summary, RULES)


ACCURACIES = dict(zip(settings(), (0.80, 0.75, 0.60, 0.90, 0.70, 0.70)))
NAMED = dict(zip(settings(), (0.85, 0.95, 0.85, 0.90, 0.90, 0.90)))  # validation names lr=0.1 under patient alone


def test_the_winner_is_named_on_validation_under_each_protocol():
    found = effect_of(ACCURACIES, NAMED)
    assert found.winners == {"paper": "lr=0.01", "patient": "lr=0.1", "official": "lr=0.01"}
    assert found.settings == ("lr=0.1", "lr=0.01")


def test_the_table_of_studies_names_changes_winners_and_order():
    shown = protocols.section([effect_of(ACCURACIES, NAMED)])
    patient, official = shown.studies.rows
    assert (patient[:3], official[:3]) == (["rates", "patient", "−12.50 points"], ["", "official", "−20.00 points"])
    assert patient[3].startswith("−20.00 points\n[−")
    assert patient[3].endswith("\nlr=0.01")
    assert (patient[5], official[5]) == ("lr=0.1\nunder paper lr=0.01", "lr=0.01\nas under paper")
    assert (patient[6], official[6]) == ("−1.00", "+1.00")
    assert "mixes" in shown.note
    assert "The winner changes with the protocol in 1 of 1" in shown.answer


def test_each_setting_stands_under_paper_first_with_its_changes_below():
    (table,) = protocols.section([effect_of(ACCURACIES, NAMED)]).details
    assert [row[:3] for row in table.rows[:3]] == [
        ["lr=0.1", "paper", "80.00"],
        ["", "patient", "75.00"],
        ["", "official", "60.00"],
    ]
    assert table.rows[0][3] == ""
    assert table.rows[1][3].startswith("−5.00 points\n[")


def test_markdown_has_no_broken_row():
    found = [effect_of(ACCURACIES, NAMED), effect_of(dict.fromkeys(ACCURACIES, 0.8), NAMED, "none")]
    lines = protocols.markdown(protocols.section(found)).splitlines()
    widths = [{line.count("|") for line in lines if line.startswith("|") and line.count("|") == n} for n in (8, 7)]
    assert all(widths)
    assert {line.count("|") for line in lines if line.startswith("|")} == {7, 8}


@pytest.mark.parametrize("only", ["paper", "patient"])
def test_a_study_of_one_protocol_has_no_effect(only):
    labels = [label for label in settings() if label.endswith(only)]
    assert effect_of(dict.fromkeys(labels, 0.8), dict.fromkeys(labels, 0.8)) is None
    assert protocols.section([]) is None


def test_a_setting_named_by_hand_is_known_by_its_choices():
    settings = {"old": Setting(lr=0.1), "new": Setting(lr=0.1, protocol="patient"), "alone": Setting(lr=0.01)}
    named = {label: setting.model_dump() for label, setting in settings.items()}
    assert protocols.labels_of(named) == {("old", "paper"): "old", ("old", "patient"): "new"}


def test_a_study_of_protocols_alone_calls_its_one_setting_base():
    named = {f"protocol={p}": Setting(protocol=p).model_dump() for p in ("patient", "paper")}
    assert set(protocols.labels_of(named)) == {("base", "paper"), ("base", "patient")}
