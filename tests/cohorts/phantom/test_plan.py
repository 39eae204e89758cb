import collections

import pytest

from cxrbench.base.errors import CxrbenchError
from cxrbench.cohorts.phantom.plan import COVID_FRONTALS, PNEUMONIA_FRONTALS, image_count, make_plan


def counted(kind: str, scale: float, seed: int) -> collections.Counter:
    return collections.Counter(
        (patient.part, study.label, projection == "LATERAL")
        for patient in make_plan(kind, scale, seed)
        for study in patient.studies
        for projection in study.projections
    )


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(("scale", "quota"), [(1.0, 1.0), (0.04, 0.02), (0.2, 0.1)])
def test_every_part_holds_its_quota_of_frontals_of_both_classes(scale, quota, seed):
    counts = counted("pneumonia", scale, seed)
    for part, wanted in PNEUMONIA_FRONTALS.items():
        for label, images in wanted.items():
            slack = counts[part, label, False] - round(images * quota)
            assert slack >= 0.02 * images * quota


def test_slack_stays_below_four_in_a_hundred():
    counts = counted("pneumonia", 1.0, 0)
    for label in ("normal", "pneumonia"):
        total = sum(wanted[label] for wanted in PNEUMONIA_FRONTALS.values())
        assert 1.02 < sum(counts[part, label, False] for part in PNEUMONIA_FRONTALS) / total < 1.04


def test_four_images_in_ten_are_lateral():
    counts = counted("pneumonia", 1.0, 0)
    share = sum(n for key, n in counts.items() if key[2]) / sum(counts.values())
    assert 0.38 < share < 0.42
    assert 9_500 < sum(counts.values()) == image_count("pneumonia", 1.0, 0) < 10_700


def test_patients_have_several_studies_and_some_have_both_labels():
    plan = make_plan("pneumonia", 1.0, 0)
    labels = [{study.label for study in patient.studies} for patient in plan]
    assert sum({"normal", "pneumonia"} <= found for found in labels) > 100
    frontals = [sum(p != "LATERAL" for study in patient.studies for p in study.projections) for patient in plan]
    assert sum(count == 1 for count in frontals) > len(plan) / 2  # exact counts of whole patients need small ones
    assert max(frontals) >= 3
    assert min(frontals) >= 1


def test_a_covid_cohort_has_exactly_the_published_images():
    counts = counted("covid", 1.0, 1)
    for part, wanted in COVID_FRONTALS.items():
        for label, images in wanted.items():
            assert counts[part, label, False] == images
    assert image_count("covid", 1.0, 1) == 345


def test_an_unknown_kind_is_refused_by_name():
    with pytest.raises(CxrbenchError, match=r"kind is 'bone'.*pneumonia, covid"):
        make_plan("bone", 1.0, 0)
