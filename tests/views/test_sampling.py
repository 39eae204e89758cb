"""The view network's images: exact quotas, nothing twice, the rest tests."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrbench.errors import CxrbenchError
from cxrbench.manifest import TABLES
from cxrbench.views import sampling


def images(frontal, lateral, unknown=3):
    views = ["frontal"] * frontal + ["lateral"] * lateral + [""] * unknown
    frame = pd.DataFrame(dict.fromkeys(TABLES["manifest"], ""), index=range(len(views)))
    return frame.assign(view=views, image_id=[f"i{k}" for k in range(len(views))], cohort="mimic")


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 9), st.integers(1, 9), st.integers(1, 9), st.integers(0, 5))
def test_quotas_are_met_exactly_and_the_rest_tests(a, b, c, d, spare, seed):
    quotas = {"train": {"frontal": a, "lateral": b}, "validation": {"frontal": c, "lateral": d}}
    table = sampling.assign(images(a + c + spare, b + d + 1), quotas, seed, "mimic")
    counts = table.groupby(["paper", "label"]).size().to_dict()
    assert counts == {
        ("train", "frontal"): a, ("train", "lateral"): b, ("validation", "frontal"): c, ("validation", "lateral"): d,
        ("test", "frontal"): spare, ("test", "lateral"): 1,
    }  # fmt: skip
    assert table["image_id"].is_unique
    assert ((table["label"] == "frontal") == (table["target"] == 1)).all()
    assert (table["paper"] == table["patient"]).all()
    assert table.equals(sampling.assign(images(a + c + spare, b + d + 1).sample(frac=1), quotas, seed, "mimic"))


def test_too_few_images_of_a_view_is_an_error_with_both_numbers():
    quotas = {"train": {"frontal": 3, "lateral": 3}, "validation": {"frontal": 2, "lateral": 2}}
    with pytest.raises(
        CxrbenchError, match=r"has 5 images whose metadata say lateral, but .* 3 to train \+ 2 to validation"
    ):
        sampling.assign(images(9, 5), quotas, 0, "mimic")
