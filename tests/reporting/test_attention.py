"""The section says what the table holds, also of networks without attention, and never shows a restricted cohort."""

import re

import pandas as pd
import pytest

from cxrbench.base.tables import TABLES
from cxrbench.reporting import attention, template

HEAD = '{% from "text-table.html.j2" import text_table %}{% include "attention.html.j2" %}'


def table(study="rate", source="chest", inside=(0.8, 0.6, None, 0.5), pictured=True):
    """Two true positives, a true negative without attention and a false positive."""
    groups = ["true positive", "true positive", "true negative", "false positive"]
    rows = [
        (study, "lr=0.1", 2, "run", "test", group, source, f"i{n}", 0.9, share, 0.66, "4 x 4",
         f"attention/{study}-{n}.jpg" if pictured and n < 2 else "")
        for n, (group, share) in enumerate(zip(groups, inside))
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(TABLES["attention"])).astype({"inside": "float64"})


PICTURES = {f"attention/rate-{n}.jpg": b"a picture" for n in range(2)}


def shown(section):
    return template._environment().from_string(HEAD).render(attention=section)


def text_of(page):
    return " ".join(re.sub("<[^>]*>", " ", page).split())


def test_a_row_tells_mean_sd_and_n_of_each_group_beside_the_boxs_area():
    found = attention.section(table(), PICTURES, ["rate"], ())
    (row,) = found.table.rows
    assert row == ["rate", "lr=0.1\nseed 2", "70.0 ± 14.1\nn = 2", "–\nn = 1, 1 without", "50.0\nn = 1",
                   "–\nno such image", "66.0", "4 × 4"]  # fmt: skip
    assert found.answer.startswith("On average 63.3 % of the attention lies inside the lungs’ box, which takes 66.0 %")
    assert found.without == ""


def test_several_studies_are_summed_up_by_their_range_and_those_without_are_named():
    both = pd.concat([table(), table("batch", inside=(0.3, 0.3, 0.3, 0.3))])
    found = attention.section(both, PICTURES, ["rate", "batch", "views"], ())
    assert "On average 30.0 to 63.3 %" in found.answer
    assert found.without.startswith("Not computed for views.")


def test_no_attention_at_all_is_said_and_no_nan_is_shown():
    page = shown(attention.section(table(inside=(None,) * 4), PICTURES, ["rate"], ()))
    assert "None of these networks has any attention" in page
    assert "nan" not in text_of(page).lower().split()
    assert "no attention; i0" in page


def test_pictures_are_inside_the_page_and_where_they_are_not_at_hand_it_says_so():
    page = shown(attention.section(table(), PICTURES, ["rate"], ()))
    assert page.count('<img loading="lazy"') == page.count("data:image/jpeg;base64,") == 2
    assert "True positive, score 0.900" in page
    left_out = shown(attention.section(table(), {}, ["rate"], ()))
    assert "<img" not in left_out
    assert "The pictures are left out: a result set holds no image." in left_out
    assert "<h3>Hits and misses of" not in shown(attention.section(table(pictured=False), {}, ["rate"], ()))


@pytest.mark.parametrize("found", [table(), table().head(0)])
def test_of_a_restricted_cohort_nothing_is_shown_and_without_any_study_a_sentence_stands(found):
    page = shown(attention.section(found, PICTURES, ["rate"], ("chest",)))
    assert not re.search("<img|<table|data:image|i0|70.0", page)
    assert "Not computed for rate." in page
