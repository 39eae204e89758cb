"""What file size, shape, colour mode, brightness and border reach alone."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrbench.base.tables import TABLES
from cxrbench.splits.shortcuts import FEATURES, auc, shortcut_table


def tables(target, train, **features):
    """An assignment whose first ``train`` images train and whose others test, and a manifest."""
    n = len(target)
    names = [f"i{k}" for k in range(n)]
    part = ["train"] * train + ["test"] * (n - train)
    given = {"bytes": 1, "width": 10, "height": 10, "mode": "L", "brightness": 0.0, "border": 0.0, **features}
    parts = {"paper": part, "patient": part, "official": ""}
    return (
        pd.DataFrame({"cohort": "c", "image_id": names, "target": target, **parts}),
        pd.DataFrame({"cohort": "c", "image_id": names, **given}),
    )


def reached(*args, **features):
    table = shortcut_table(*tables(*args, **features))
    return table[table["protocol"] == "paper"].set_index("feature")["auc"].to_dict()


def test_a_shortcut_that_turns_round_between_training_and_test_falls_below_a_half():
    found = reached([0, 1, 0, 1], 2, bytes=[9, 5, 8, 4], width=[10, 20, 20, 10], brightness=[1, 2, 3, 4])
    assert found == {
        "file size": 1.0,
        "pixel area": 0.0,
        "aspect ratio": 0.0,
        "colour mode": 0.5,
        "mean brightness": 1.0,
        "border": 0.5,
    }


def test_there_is_a_row_for_each_protocol_in_use_and_feature_with_the_number_of_test_images():
    table = shortcut_table(*tables([0, 1, 0, 1, 1], 2))
    assert list(table.columns) == list(TABLES["shortcuts"])
    assert table["feature"].tolist() == 2 * list(FEATURES)
    assert table["protocol"].unique().tolist() == ["paper", "patient"]
    assert (table["n"] == 3).all()


def test_a_colour_mode_is_scored_by_its_share_of_positives_in_training():
    modes = ["RGB", "RGB", "L", "L", "L", "RGB", "L"]
    assert reached([1, 1, 0, 0, 1, 1, 0], 5, mode=modes)["colour mode"] == 1.0


def test_a_colour_mode_that_training_never_had_is_scored_by_the_base_rate():
    # Training: RGB all positive, L all negative, base rate a half; CMYK lies between them.
    modes = ["RGB", "L", "RGB", "CMYK", "L"]
    assert reached([1, 0, 1, 0, 0], 2, mode=modes)["colour mode"] == 1.0
    assert reached([1, 0, 0, 1, 1], 2, mode=modes)["colour mode"] == 0.0


def test_a_part_of_one_class_has_no_auc():
    assert all(math.isnan(value) for value in reached([0, 1, 1, 1], 2).values())


def test_an_assignment_without_test_images_has_no_rows():
    assert shortcut_table(*tables([0, 1], 2)).empty


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 5)), min_size=2, max_size=30))
def test_the_auc_is_the_share_of_pairs_in_order_a_tie_counting_half(rows):
    target, value = (np.array(column) for column in zip(*rows))
    higher, lower = value[target == 1], value[target == 0]
    if len(higher) and len(lower):
        pairs = (higher[:, None] > lower).mean() + (higher[:, None] == lower).mean() / 2
        assert auc(target, value) == pytest.approx(pairs)
    else:
        assert math.isnan(auc(target, value))


def test_area_and_aspect_ratio_are_two_things_and_an_order_is_turned_as_training_has_it():
    found = reached([0, 1, 0, 0, 1, 1], 2, width=[10, 20, 1, 8, 2, 9], height=[10, 20, 4, 2, 2, 1])
    assert (found["pixel area"], found["aspect ratio"]) == (0.375, 0.75)  # all squares in training: as it comes
    turned = reached([0, 1, 0, 0, 1, 1], 2, bytes=[2, 1, 1, 3, 2, 4])
    assert turned["file size"] == pytest.approx(1 - 0.75)
