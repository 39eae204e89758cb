"""A split of its own for each seed: exact, repeatable, and under protocol patient without a patient in two parts."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.tables import PARTS, PROTOCOLS
from cxrbench.splits.protocols import assign
from cxrbench.splits.redraw import redraw
from tests.splits.test_protocols import cohort_of, counted, even, patients, plain

SEEDS = [0, 1, 7]


def drawn(images, quotas, seeds=SEEDS, split_seed=0):
    return redraw(images.assign(picture=images["sha256"]), quotas, split_seed, seeds, "a", 0.0)


@settings(max_examples=25)
@given(patients, st.integers(0, 99))
def test_quotas_are_exact_for_each_seed_and_no_patient_is_in_two_parts(patients, split_seed):
    images = cohort_of(patients)
    quotas = counted(images["source_part"], images)
    table = drawn(images, quotas, split_seed=split_seed).merge(images, on="image_id")
    for _, rows in table.groupby("seed"):
        for protocol in PROTOCOLS if images["source_part"].any() else PROTOCOLS[:2]:
            assert counted(rows[protocol], rows) == quotas
        used = rows[rows["patient"] != ""]
        assert (used.groupby("patient_id")["patient"].nunique() <= 1).all()
        test = rows.loc[rows["official"] == "test", "source_part"]
        assert (test == "test").all()  # the source's own test is never left


def test_a_seeds_split_is_the_same_whatever_other_seeds_and_rows_there_are():
    images = plain(80, 80)
    alone, among = drawn(images, even(20, 10, 10), [7]), drawn(images.sample(frac=1), even(20, 10, 10), [3, 7, 0])
    among = among[among["seed"] == 7].sort_values("image_id", ignore_index=True)
    pd.testing.assert_frame_equal(alone.sort_values("image_id", ignore_index=True), among)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_splits_differ_between_seeds_and_from_the_fixed_one(protocol):
    images = plain(80, 80)
    table = drawn(images, even(20, 10, 10), split_seed=5)
    splits = [tuple(rows.sort_values("image_id")[protocol]) for _, rows in table.groupby("seed")]
    fixed = assign(images, even(20, 10, 10), protocol, 5, "a").set_axis(images["image_id"]).sort_index()
    assert len({*splits, tuple(fixed)}) == len(SEEDS) + 1


def test_what_cannot_be_drawn_names_the_seed():
    images = plain(8, 8, per_patient=4)
    with pytest.raises(CxrbenchError, match=r"split\.redraw, seed 7: cohort 'a', protocol patient"):
        drawn(images, even(2, 2, 1), [7])


def test_parts_are_those_of_every_table():
    table = drawn(plain(80, 80), even(20, 10, 10))
    assert set(table["paper"]) == {*PARTS, ""}
    assert len(table) == 3 * 160
