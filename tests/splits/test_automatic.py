"""Quotas 'auto': as many images as whole patients allow, a fifth to test, the source's own parts where it has them."""

import re

import pytest
from hypothesis import given, settings

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.tables import PARTS, PROTOCOLS
from cxrbench.config.quotas import Automatic
from cxrbench.splits import automatic
from cxrbench.splits.protocols import assign
from tests.splits.test_protocols import cohort_of, counted, patients, plain

PAIR = Automatic(("normal", "pneumonia"))


def quotas_of(images, wanted=PAIR):
    return automatic.quotas_of(images.assign(picture=images["sha256"]), wanted, 0, "a")


def test_of_a_plain_folder_a_fifth_tests_a_fifth_validates_and_all_images_are_used():
    quotas = quotas_of(plain(100, 60, parts=("",), per_patient=1))
    assert quotas == {
        "train": {"normal": 60, "pneumonia": 36},
        "validation": {"normal": 20, "pneumonia": 12},
        "test": {"normal": 20, "pneumonia": 12},
    }


def test_the_sources_own_parts_are_taken_as_they_are():
    images = plain(80, 40, parts=("train", "train", "validation", "test"), per_patient=1)
    assert quotas_of(images) == counted(images["source_part"], images)
    parts = assign(images, quotas_of(images), "official", 0, "a")
    assert (parts == images["source_part"]).all()


def test_a_sources_validation_of_a_few_images_is_filled_from_its_training():
    images = plain(200, 200, parts=("train",) * 7 + ("test",) * 3, per_patient=1)
    images.loc[images.groupby("label").head(1).index, "source_part"] = "validation"
    quotas = quotas_of(images)
    assert quotas["test"] == {"normal": 60, "pneumonia": 60}
    assert quotas["validation"] == {"normal": 28, "pneumonia": 28}
    assert quotas["train"] == {"normal": 112, "pneumonia": 112}


@settings(max_examples=30)
@given(patients.filter(lambda known: min(sum(p[0] for p in known), sum(p[1] for p in known)) >= automatic.FEWEST))
def test_whatever_the_patients_each_protocol_fills_what_auto_asks_for_or_a_sentence_says_why_not(known):
    images = cohort_of([(normal, pneumonia, "") for normal, pneumonia, _ in known])
    refused = ()
    try:
        quotas = quotas_of(images)
    except CxrbenchError as error:
        refused = str(error)
    if refused:
        assert re.search(
            "no choice of whole patients .* at most [0-9]+ are taken for one person's .* down to 70% of the images",
            refused,
        )
        return
    for protocol in PROTOCOLS[:2]:
        assert counted(assign(images, quotas, protocol, 0, "a"), images) == quotas
    assert all(count >= 1 for part in PARTS for count in quotas[part].values())


def test_scale_uses_a_share_of_the_images_and_never_more_than_all():
    images = plain(100, 100, parts=("",), per_patient=1)
    half, all_, more = (quotas_of(images, Automatic(PAIR.labels, scale)) for scale in (0.5, 1, 2))
    assert half["test"] == {"normal": 10, "pneumonia": 10}
    assert half["train"] == {"normal": 30, "pneumonia": 30}
    assert more == all_


def test_too_few_images_of_a_label_are_refused_with_the_label_and_both_numbers():
    with pytest.raises(CxrbenchError, match=r"cohort 'a': 4 usable frontal images are labelled 'pneumonia'.* need 5"):
        automatic.refuse_too_few(plain(20, 4, per_patient=1), PAIR, "cohort 'a'")


def test_images_that_are_all_taken_for_one_picture_are_told_with_their_number_and_two_of_them():
    images = plain(20, 20, per_patient=1).assign(picture="one")
    with pytest.raises(
        CxrbenchError, match=r"at most 40 are taken for one person's .*, such as i00-normal0 and i01-normal0;"
    ):
        automatic.quotas_of(images, PAIR, 0, "a")
