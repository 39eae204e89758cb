"""Exact counts, whole patients, the source's own test, and errors that say what to do."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.tables import PARTS, PROTOCOLS
from cxrbench.config.quotas import scaled
from cxrbench.splits.protocols import assign, lacking

# A patient: images of each label, a part that makes the quotas reachable, and the source's own part.
patients = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 3), st.sampled_from([*PARTS, ""])).filter(lambda p: p[0] + p[1]),
    min_size=6,
    max_size=30,
)


def cohort_of(patients):
    rows = [
        (f"i{who:02}-{label}{n}", label, f"p{who}", f"sha{who}{label}{n}", part)
        for who, (normal, pneumonia, part) in enumerate(patients)
        for label, count in (("normal", normal), ("pneumonia", pneumonia))
        for n in range(count)
    ]
    return pd.DataFrame(rows, columns=["image_id", "label", "patient_id", "sha256", "source_part"])


def counted(parts, images):
    return {
        part: {label: int(((parts == part) & (images["label"] == label)).sum()) for label in ("normal", "pneumonia")}
        for part in PARTS
    }


def plain(normal, pneumonia, parts=("train", "train", "validation", "test"), per_patient=2):
    """A cohort of patients of one label and ``per_patient`` images each, their source's parts in turn."""
    each = [(per_patient, 0)] * (normal // per_patient) + [(0, per_patient)] * (pneumonia // per_patient)
    return cohort_of([(*counts, parts[who % len(parts)]) for who, counts in enumerate(each)])


def even(train, validation, test):
    return {part: {"normal": count, "pneumonia": count} for part, count in zip(PARTS, (train, validation, test))}


@settings(max_examples=40)
@given(patients, st.integers(0, 99), st.randoms(use_true_random=False))
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_quotas_come_out_exactly_and_neither_row_order_nor_chance_changes_them(protocol, patients, seed, random):
    images = cohort_of(patients)
    quotas = counted(images["source_part"], images)
    parts = assign(images, quotas, protocol, seed, "a")
    if images["source_part"].any() or protocol != "official":
        assert counted(parts, images) == quotas
    assert not lacking(parts, images["label"], quotas) or not parts.any()
    shuffled = images.sample(frac=1, random_state=random.randrange(2**31))
    pd.testing.assert_series_equal(assign(shuffled, quotas, protocol, seed, "a").reindex(images.index), parts)
    if protocol == "patient":
        assert (parts.groupby(images["patient_id"]).nunique() == 1).all()
    if protocol == "official":
        assert (images["source_part"][parts == "test"] == "test").all()
        assert (images["source_part"][parts.isin(["train", "validation"])] != "test").all()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_another_seed_gives_another_split(protocol):
    images = plain(80, 80)
    one, same, other = (assign(images, even(10, 6, 4), protocol, seed, "a") for seed in (0, 0, 1))
    pd.testing.assert_series_equal(one, same)
    assert (one != other).any()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_row_labels_of_the_images_are_kept(protocol):
    images = plain(40, 40).set_index(np.arange(500, 580))
    parts = assign(images, even(4, 2, 2), protocol, 0, "a")
    assert parts.index.equals(images.index)
    assert (parts != "").sum() == 16


def test_patients_who_share_a_file_go_to_one_part_together():
    images = plain(40, 40, per_patient=1)
    images["sha256"] = [f"sha{n // 2}" for n in range(len(images))]
    for seed in range(5):
        parts = assign(images, even(10, 6, 4), "patient", seed, "a")
        assert (parts.groupby(images["sha256"]).nunique() == 1).all()


@settings(max_examples=40)
@given(patients, st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), max_size=8), st.integers(0, 99))
def test_by_patient_no_two_parts_share_a_patient_or_a_picture(patients, twins, seed):
    images = cohort_of(patients)
    images["picture"] = images["image_id"]
    for a, b in twins:
        a, b = (images["picture"].iloc[place % len(images)] for place in (a, b))
        images["picture"] = images["picture"].replace(b, a)
    try:
        parts = assign(images, counted(images["source_part"], images), "patient", seed, "a", pictures="picture")
    except CxrbenchError:
        return  # joined, the patients may be too large for the quotas
    used = parts[parts != ""]
    for key in ("patient_id", "picture"):
        assert (used.groupby(images[key]).nunique() == 1).all()
        assert (parts.groupby(images[key]).nunique() == 1).all()  # and none is used in part


def test_patients_joined_by_pictures_that_fit_no_quota_are_an_error():
    images = plain(40, 40).assign(picture="one for all")
    with pytest.raises(CxrbenchError, match="no choice of whole patients was found"):
        assign(images, even(4, 2, 2), "patient", 0, "a", pictures="picture")


def test_by_image_a_patient_does_stand_in_two_parts():
    images = plain(40, 40, per_patient=4)
    parts = assign(images, even(20, 10, 10), "paper", 0, "a")
    assert (parts.groupby(images["patient_id"]).nunique() > 1).any()


def test_official_validation_is_the_sources_where_that_suffices():
    images = plain(80, 80)
    parts = assign(images, even(10, 5, 5), "official", 0, "a")
    for part in PARTS:
        assert set(images["source_part"][parts == part]) == {part}


def test_official_validation_is_carved_from_training_by_whole_patients_where_it_does_not():
    images = plain(80, 80, parts=("train", "train", "train", "test"))
    for seed in range(5):
        parts = assign(images, even(30, 10, 10), "official", seed, "a")
        assert counted(parts, images) == even(30, 10, 10)
        assert set(images["source_part"][parts == "validation"]) == {"train"}
        used = parts[parts.isin(["train", "validation"])]
        assert (used.groupby(images["patient_id"]).nunique() == 1).all()
    with pytest.raises(CxrbenchError, match="protocol official, the source's train and validation: no choice of whole"):
        assign(images, even(30, 3, 10), "official", 0, "a")


def test_official_training_may_lack_a_share_of_each_label_and_no_more():
    images = plain(80, 80, parts=("train", "train", "train", "test"))  # 60 of each label beside the test
    quotas = even(50, 20, 10)  # so training gets 40 of 50
    parts = assign(images, quotas, "official", 0, "a", official_shortfall=0.2)
    assert lacking(parts, images["label"], quotas) == {"train": {"normal": 10, "pneumonia": 10}}
    with pytest.raises(CxrbenchError, match=r"part train needs 50 normal images and 40 are left.* = 0\.19 allows"):
        assign(images, quotas, "official", 0, "a", official_shortfall=0.19)


def test_a_source_without_a_split_leaves_official_empty():
    assert not assign(plain(40, 40, parts=("",)), even(2, 2, 2), "official", 0, "a").any()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_unfillable_quota_is_named_with_what_is_there_and_what_to_do(protocol):
    images = plain(40, 400)
    with pytest.raises(CxrbenchError) as caught:
        assign(images, even(50, 30, 20), protocol, 0, "kids")
    message = str(caught.value)
    for words in ("cohort 'kids'", f"protocol {protocol}", "normal images", "multiply split.scale by at most 0."):
        assert words in message


def test_the_scale_that_an_error_proposes_works():
    images, quotas = plain(40, 400), even(50, 30, 20)
    with pytest.raises(CxrbenchError, match=r"multiply split\.scale by at most 0\.4 "):
        assign(images, quotas, "paper", 0, "kids")
    reachable = scaled(quotas, 0.4)
    assert counted(assign(images, reachable, "paper", 0, "kids"), images) == reachable


def test_a_label_that_is_absent_asks_for_images_and_for_no_scale():
    message = r"part test needs 5 normal images and 0 are left of 0; no usable .* 'normal': .* or add images$"
    with pytest.raises(CxrbenchError, match=message):
        assign(plain(0, 40), even(5, 5, 5), "paper", 0, "a")
    with pytest.raises(CxrbenchError, match=r"4 are left of 4; add images$"):  # no scale of three digits would do
        assign(plain(4, 40), even(9000, 5, 5), "paper", 0, "a")


def test_counts_no_whole_patients_can_make_are_an_error_that_says_so():
    with pytest.raises(CxrbenchError, match=r"no choice of whole patients .* test 3 normal \+ 3 pneumonia"):
        assign(plain(40, 40), even(3, 3, 3), "patient", 0, "a")


def test_scaled_quotas_are_rounded_and_never_zero():
    assert scaled({"train": {"a": 790, "b": 10, "c": 1}}, 0.02) == {"train": {"a": 16, "b": 1, "c": 1}}
    assert scaled({"train": {"a": 3}}, 2.0) == {"train": {"a": 6}}


def test_an_unknown_protocol_is_refused():
    with pytest.raises(ValueError, match="random"):
        assign(plain(4, 4), even(1, 1, 1), "random", 0, "a")
