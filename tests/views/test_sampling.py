"""The view network's images: exact quotas from each cohort, nothing twice, the rest tests, no patient in two parts."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.tables import PARTS, TABLES
from cxrbench.views import sampling


def images(frontal, lateral, unknown=3, cohort="mimic", patients=10**6):
    views = ["frontal"] * frontal + ["lateral"] * lateral + [""] * unknown
    numbers = range(len(views))
    frame = pd.DataFrame(dict.fromkeys(TABLES["manifest"], ""), index=numbers)
    return frame.assign(
        view=views, cohort=cohort, image_id=[f"i{k}" for k in numbers], sha256=[f"{cohort}{k}" for k in numbers],
        patient_id=[f"p{k % patients}" for k in numbers],
    )  # fmt: skip


counts = st.integers(1, 9)


@settings(max_examples=30)
@given(counts, counts, counts, counts, counts, st.integers(0, 5))
def test_quotas_are_met_exactly_and_the_rest_tests(a, b, c, d, spare, seed):
    quotas = {"mimic": {"train": {"frontal": a, "lateral": b}, "validation": {"frontal": c, "lateral": d}}}
    cohort = images(a + c + spare, b + d + 1)
    table = sampling.assign(cohort, quotas, seed)
    for protocol in ("paper", "patient"):
        assert table.groupby([protocol, "label"]).size().to_dict() == {
            ("train", "frontal"): a, ("train", "lateral"): b, ("validation", "frontal"): c,
            ("validation", "lateral"): d, ("test", "frontal"): spare, ("test", "lateral"): 1,
        }  # fmt: skip
    assert table["image_id"].is_unique
    assert not table["official"].any()
    assert ((table["label"] == "frontal") == (table["target"] == 1)).all()
    assert table.equals(sampling.assign(cohort.sample(frac=1, random_state=seed), quotas, seed))


@settings(max_examples=30)
@given(st.integers(24, 60), st.integers(0, 5))
def test_no_patient_stands_in_two_parts(patients, seed):
    # Patient k has images k, k + patients, ...: many of them of both views.
    quotas = {"mimic": {"train": {"frontal": 10, "lateral": 8}, "validation": {"frontal": 4, "lateral": 2}}}
    cohort = images(40, 30, patients=patients)
    table = sampling.assign(cohort, quotas, seed)
    assert (table.groupby("patient_id")["patient"].nunique() == 1).all()
    assert (table["patient"] == "train").sum() == 18
    assert (table["patient"] == "validation").sum() == 6


def test_images_that_are_the_same_file_stand_in_one_part():
    cohort = images(40, 30)
    cohort.loc[cohort.index[:70], "sha256"] = [f"file {k // 2}" for k in range(70)]
    quotas = {"mimic": {"train": {"frontal": 10, "lateral": 8}, "validation": {"frontal": 4, "lateral": 2}}}
    table = sampling.assign(cohort, quotas, 0)
    assert (table.groupby("sha256")["patient"].nunique() == 1).all()


def test_each_cohort_fills_its_own_quotas_and_its_names_stay_apart():
    quotas = {
        "mimic": {"train": {"frontal": 4, "lateral": 2}, "validation": {"frontal": 2, "lateral": 1}},
        "phantom": {"train": {"frontal": 3, "lateral": 5}, "validation": {"frontal": 1, "lateral": 1}},
    }
    cohorts = [images(9, 9), images(9, 9, cohort="phantom"), images(9, 9, cohort="unasked")]
    table = sampling.assign(pd.concat(cohorts), quotas, 0)
    assert set(table["cohort"]) == {"views"}
    assert not table.duplicated(["source", "image_id"]).any()
    assert set(table["source"]) == set(quotas)
    for cohort, wanted in quotas.items():
        for protocol in ("paper", "patient"):
            for part, views in wanted.items():
                chosen = table[(table["source"] == cohort) & (table[protocol] == part)]
                assert chosen["label"].value_counts().to_dict() == views


def test_too_few_images_of_a_view_is_an_error_with_both_numbers():
    quotas = {"mimic": {"train": {"frontal": 3, "lateral": 3}, "validation": {"frontal": 2, "lateral": 2}}}
    with pytest.raises(
        CxrbenchError, match=r"has 5 images whose metadata say lateral, but .* 3 to train \+ 2 to validation"
    ):
        sampling.assign(images(9, 5), quotas, 0)


def test_quotas_that_no_whole_patients_fill_are_an_error_that_names_them():
    quotas = {"mimic": {"train": {"frontal": 10, "lateral": 8}, "validation": {"frontal": 4, "lateral": 2}}}
    wanted = r"no choice of whole patients gives exactly .*train 10 frontal \+ 8 lateral; validation 4 frontal"
    with pytest.raises(CxrbenchError, match=wanted):
        sampling.assign(images(40, 30, patients=2), quotas, 0)


def parts_of(table, protocol):
    return table.groupby([protocol, "label"]).size().to_dict()


def test_auto_divides_a_tree_of_257_frontals_and_25_laterals_with_no_count_worked_out_by_hand():
    # 180 patients, as in a real tree: laterals stand beside frontals of the same patient.
    cohort = images(257, 25, patients=180)
    table = sampling.assign(cohort, {"mimic": "auto"}, 0)
    for protocol in ("paper", "patient"):
        parts = parts_of(table, protocol)
        assert sum(parts.values()) == 282
        for part in ("validation", "test"):
            assert 20 <= parts[part, "frontal"] <= 25
            assert 1 <= parts[part, "lateral"] <= 3
    assert parts_of(table, "paper") == parts_of(table, "patient")
    assert (table.groupby("patient_id")["patient"].nunique() == 1).all()


@settings(max_examples=40)
@given(st.integers(3, 60), st.integers(3, 30), st.integers(6, 40), st.integers(0, 5))
def test_auto_uses_every_image_and_leaves_each_view_to_each_part(frontal, lateral, patients, seed):
    cohort = images(frontal, lateral, patients=patients)
    known = cohort[cohort["view"] != ""]
    if known.groupby("view")["patient_id"].nunique().min() < 6:
        return  # whether three suffice depends on who has both views
    table = sampling.assign(cohort, {"mimic": "auto"}, seed)
    assert set(parts_of(table, "patient")) == {(p, v) for p in PARTS for v in ("frontal", "lateral")}
    assert parts_of(table, "paper") == parts_of(table, "patient")
    assert len(table) == len(known)
    assert (table.groupby("patient_id")["patient"].nunique() == 1).all()
    assert table.equals(sampling.assign(cohort.sample(frac=1, random_state=seed), {"mimic": "auto"}, seed))


def test_auto_with_two_patients_of_a_view_says_that_three_are_needed():
    cohort = images(20, 2)
    with pytest.raises(CxrbenchError, match=r"cohort 'mimic' has 20 frontal \+ 2 lateral .* of 3 patients"):
        sampling.assign(cohort, {"mimic": "auto"}, 0)


def test_a_cohort_by_auto_teaches_beside_one_with_counts():
    both = pd.concat([images(40, 10), images(30, 30, cohort="phantom")])
    counts = {"train": {"lateral": 10, "frontal": 10}, "validation": {"lateral": 5, "frontal": 5}}
    table = sampling.assign(both, {"mimic": "auto", "phantom": counts}, 0)
    phantom = table[(table["source"] == "phantom") & (table["patient"] != "test")]
    assert len(phantom) == 30
