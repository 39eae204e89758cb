"""The network to hand on is of the winner on validation, and a study without one is a sentence."""

import pandas as pd
import pytest

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.tables import TABLES
from cxrbench.evaluation.chosen import choose, metrics_of_mean
from cxrbench.evaluation.study_settings import StudySetting

NAN = float("nan")
SETTINGS = {
    "rate": {"a": StudySetting({"lr": 0.1}), "b": StudySetting({"lr": 0.2})},
    "none": {"a": StudySetting({"lr": 0.1}, "no images")},
}


def table(of_setting):
    rows = [
        {"study": "rate", "setting": name, "seed": seed, "run": f"{name}{seed}", "part": part, "status": "ok", "n": 9,
         "accuracy": value if part == "validation" else 1 - value, "loss": loss}
        for name, values in of_setting.items()
        for seed, (value, loss) in enumerate(values)
        for part in ("validation", "test")
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(TABLES["metrics"]))


def test_the_winner_and_its_best_run_are_named_on_validation():
    chosen = choose("rate", SETTINGS, table({"a": [(0.9, 1), (0.5, 1)], "b": [(0.8, 0.4), (0.8, 0.3)]}))
    assert (chosen.label, chosen.runs, chosen.best) == ("b", {0: "b0", 1: "b1"}, 1)
    assert chosen.setting == {"lr": 0.2}
    assert not chosen.redrawn


@pytest.mark.parametrize(
    ("study", "message"),
    [
        ("other", "there is no study 'other'; the last dvc repro ran rate, none"),
        ("none", "no setting of study none was run"),
        ("rate", "study rate has no winner"),
    ],
)
def test_a_study_without_a_winner_is_one_sentence(study, message):
    with pytest.raises(CxrbenchError, match=message):
        choose(study, SETTINGS, table({"a": [(NAN, NAN), (0.5, 1)], "b": [(0.8, 1), (NAN, NAN)]}))


def test_the_mean_networks_metrics_are_those_of_the_mean_score():
    images = {"part": ["train", "validation", "validation"], "target": [1, 1, 0]}
    scores = [pd.DataFrame({**images, "score": score}) for score in ([0.0, 0.9, 0.7], [0.0, 0.3, 0.1])]
    found = metrics_of_mean(scores)
    assert set(found) == {"validation"}
    assert found["validation"]["accuracy"] == 1  # 0.6 and 0.4: each network alone is right once
