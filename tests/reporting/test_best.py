"""What the report says of the best: a column, a sentence and a table that agree."""

import math

import pytest

from cxrbench.evaluation.best_group import Beats, BestGroup
from cxrbench.reporting import best


def found(group, unknown=(), beaten=("b", "c")):
    reasons = {setting: f"{setting} has 1 run" for setting in unknown}
    chances = {s: Beats(math.nan, reason=reasons[s]) if s in reasons else Beats(0.8734, 0.61, 0.999) for s in beaten}
    return BestGroup("a", chances, tuple(group), reasons, 0.95)


def test_a_probability_is_shown_in_percent_with_its_interval_and_never_as_certain():
    assert best.column([found("abc")])["b"] == ("87 %", "[61 to > 99]")


@pytest.mark.parametrize(
    ("case", "said"),
    [
        (found("abc"), "On test none of 3 settings is distinguishable from the best with 95 % confidence."),
        (found("b"), "On test b is the best of 3 settings with 95 % confidence."),
        (found("ab"), "On test a, b are not distinguishable from the best with 95 % confidence; the others are."),
        (
            found("ab", unknown="c"),
            "On test none of 2 settings is distinguishable from the best with 95 % confidence. It can't be said of c.",
        ),
        (
            found("", unknown="abc"),
            "Which settings may be the best on test can't be said: fewer than two have numbers.",
        ),
        (
            found("abce", beaten="bcdef"),
            "On test no setting but d, f is distinguishable from the best of 6 with 95 % confidence.",
        ),
        (found("", beaten=()), ""),
        (None, ""),
    ],
)
def test_the_sentence_names_the_group_or_says_that_it_cant(case, said):
    assert best.sentence(case) == said


def test_the_table_has_a_row_for_every_setting_and_is_empty_where_nothing_can_be_said():
    table = best.table({"one": [found("ab", unknown="c")], "two": []}).set_index("setting")
    assert table["may_be_best"].to_dict() == {"a": "yes", "b": "yes", "c": ""}
    assert table["p_winner_beats_it"].isna().to_dict() == {"a": True, "b": False, "c": True}
    assert best.column([found("ab", unknown="c")])["c"] == ("–", "")
