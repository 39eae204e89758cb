"""Whole patients for exact class counts, in two dimensions."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxrbench.splits.patients import choose, patient_groups

PARTS = ("test", "validation", "train")
# A patient: images of each of two labels, and the part that a solution known beforehand gives them.
patients = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 4), st.sampled_from([*PARTS, ""])).filter(lambda p: p[0] + p[1]),
    min_size=1,
    max_size=40,
)


def planted(cohort):
    groups = np.repeat(np.arange(len(cohort)), [a + b for a, b, _ in cohort])
    labels = np.array([label for a, b, _ in cohort for label in ["normal"] * a + ["covid"] * b])
    quotas = {
        part: {
            "normal": sum(a for a, _, where in cohort if where == part),
            "covid": sum(b for _, b, where in cohort if where == part),
        }
        for part in PARTS
    }
    return groups, labels, quotas


def counts(parts, labels, quotas):
    return {p: {lab: int(((parts == p) & (labels == lab)).sum()) for lab in quotas[p]} for p in quotas}


@settings(max_examples=80)
@given(patients, st.integers(0, 99))
def test_where_whole_patients_can_meet_the_quotas_they_do(cohort, seed):
    groups, labels, quotas = planted(cohort)
    parts = choose(groups, labels, quotas, np.random.default_rng(seed))
    assert parts is not None
    assert counts(parts, labels, quotas) == quotas
    assert (pd.Series(parts).groupby(groups).nunique() == 1).all()


def test_it_is_said_when_no_choice_of_whole_patients_exists():
    groups, labels = np.repeat(np.arange(6), 2), np.array(["normal", "normal"] * 6)
    assert choose(groups, labels, {"test": {"normal": 3}}, np.random.default_rng(0)) is None
    assert choose(groups, labels, {"test": {"normal": 4}}, np.random.default_rng(0)) is not None


def test_patients_of_every_size_reach_every_part():
    rng = np.random.default_rng(0)
    sizes = rng.integers(1, 9, 900)
    groups = np.repeat(np.arange(900), sizes)
    labels = np.where(rng.random(len(groups)) < 0.3, "normal", "covid")
    quotas = {part: {"normal": 200, "covid": 500} for part in PARTS}
    parts = choose(groups, labels, quotas, rng)
    assert counts(parts, labels, quotas) == quotas
    seen = pd.crosstab(np.repeat(sizes, sizes), parts)
    assert (seen > 0).all(axis=None)


def frame(*rows):
    return pd.DataFrame(rows, columns=["patient_id", "sha256"])


def test_patients_who_share_a_file_are_one_also_through_a_third():
    images = frame(("a", "1"), ("a", "2"), ("b", "2"), ("b", "3"), ("c", "3"), ("d", "4"), ("e", "5"), ("d", "6"))
    groups = patient_groups(images)
    assert len({*groups[:5]}) == 1
    assert groups[5] == groups[7]
    assert len({*groups}) == 3


def test_patients_who_share_a_picture_in_two_files_are_one_where_pictures_are_known():
    images = frame(("a", "1"), ("b", "2"), ("c", "3")).assign(picture=["x", "x", "y"])
    assert len({*patient_groups(images)}) == 3
    groups = patient_groups(images, "picture")
    assert groups[0] == groups[1] != groups[2]


@pytest.mark.parametrize("images", [frame(), frame(("a", "1"))])
def test_the_smallest_cohorts_have_as_many_patients_as_images(images):
    assert len(set(patient_groups(images))) == len(images)
