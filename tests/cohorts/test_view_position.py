"""What the metadata's view position says, and when it leaves the view open."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrbench.cohorts.view_position import view_of


@pytest.mark.parametrize(
    ("position", "view"),
    [
        ("AP", "frontal"),
        ("PA", "frontal"),
        (" pa ", "frontal"),
        ("LATERAL", "lateral"),
        ("LL", "lateral"),
        ("lateral", "lateral"),
        ("ll", "lateral"),
        ("Ap", "frontal"),
        ("", ""),
        ("  ", ""),
        ("LAO", ""),
        ("RAO", ""),
        ("LPO", ""),
        ("SWIMMERS", ""),
        ("XTABLE", ""),
        ("XTABLE LATERAL", ""),
        ("AP AXIAL", ""),
        ("PA LLD", ""),
        ("PA RLD", ""),
        ("AP LLD", ""),
        ("AP RLD", ""),
    ],
)
def test_only_plain_positions_decide_the_view(position, view):
    assert view_of(position) == view


@given(st.text())
def test_any_text_is_frontal_lateral_or_open(position):
    assert view_of(position) in ("frontal", "lateral", "")
