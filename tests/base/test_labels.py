"""Two ways to write one label."""

import unicodedata

import pytest

from cxrbench.base.labels import normal_label


@pytest.mark.parametrize("text", ["Viral Pneumonia", " viral  pneumonia", "VIRAL\tPNEUMONIA\n"])
def test_case_and_spaces_do_not_make_another_label(text):
    assert normal_label(text) == "viral pneumonia"


def test_a_folder_name_that_macos_took_apart_is_the_label_as_it_is_typed():
    assert normal_label(unicodedata.normalize("NFD", "\ud3d0\ub834")) == "\ud3d0\ub834"


def test_underscores_and_spaces_stay_different():
    assert normal_label("no_finding") != normal_label("no finding")
