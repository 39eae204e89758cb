import pandas as pd
import pytest

from cxrbench.base.tables import TABLES
from cxrbench.config.setting import SETTING_KEYS, Setting
from cxrbench.evaluation.comparisons import Rules
from cxrbench.reporting import words


@pytest.mark.parametrize(
    ("profile", "phantoms", "count"),
    [
        ("paper", {"a": []}, 0),
        ("quick", {"a": []}, 1),
        ("", {"a": []}, 0),
        ("paper", {"a": ["covid"]}, 1),
        ("cpu", {"a": ["x"]}, 2),
    ],
)
def test_a_reader_is_warned_of_phantoms_and_of_small_profiles(profile, phantoms, count):
    sentences = words.cautions(profile, phantoms)
    assert len(sentences) == count
    assert any("not of patients" in text for text in sentences) == bool(phantoms["a"])


def test_where_some_studies_are_of_radiographs_the_studies_of_phantoms_are_named():
    (text,) = words.cautions("paper", {"a": ["x"], "b": [], "c": ["y", "x"]})
    assert text.startswith("What stands under a and c speaks of the phantom, not of patients: the images of x and y ")
    (text,) = words.cautions("paper", {"a": ["x"], "c": ["x"]})
    assert text.startswith("These verdicts speak of the phantom")


def test_the_words_beside_a_study_name_its_own_protocols_shortcuts():
    rows = [["c", protocol, "border", 9, auc] for protocol, auc in (("paper", 0.61), ("patient", 0.5))]
    found = pd.DataFrame(rows, columns=list(TABLES["shortcuts"]))
    text = words.shortcut_text(found, {("c", "paper"), ("d", "patient")})
    assert text == "AUC on test that the files alone reach, no image looked at: protocol paper: border 0.610."
    assert words.shortcut_text(found, {("d", "paper")}) == ""


def test_what_is_held_fixed_is_every_choice_that_all_settings_share_in_the_order_of_its_declaration():
    settings = [Setting(lr=lr, batch_size=1, balance=True, redraw=True).model_dump() for lr in (0.1, 0.01)]
    names = [name.replace("_", " ") for name in SETTING_KEYS]
    text = words.setup(settings)
    shown = text.removeprefix("Held fixed: ").removesuffix(".").split(", ")
    assert [name for name in names if any(one.startswith(f"{name} ") for one in shown)] == [
        name for name in names if name not in ("lr", "padding", "head epochs", "fine tune lr")
    ]
    assert {"weights random", "batch size 1", "balance yes", "redraw yes"} <= set(shown)
    assert words.setup([{"balance": False, "padding": 0, "new choice": "x"}]) == "Held fixed: padding 0, new choice x."
    assert words.setup([]) == ""


def test_the_rules_name_the_families_the_error_rate_and_the_formula_of_the_seeds():
    text = " ".join(words.rules_text(Rules(confidence=0.95, margin=0.01, resamples=2000, seed=0)))
    assert "Within one family the probability of any false answer is at most 5 %" in text
    assert "three families" in text
    assert "The variance over seeds is divided by that number" in text
