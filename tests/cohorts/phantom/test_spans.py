import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrbench.cohorts.phantom.spans import Span, disjoint, length_outside


@given(st.lists(st.tuples(st.floats(-9, 9), st.floats(-2, 6)), min_size=1, max_size=5))
def test_disjoint_intervals_cover_the_same_points_once(ends):
    spans = [Span(np.array([near], np.float32), np.array([near + length], np.float32)) for near, length in ends]
    points = np.linspace(-12, 17, 1500)
    covered = sum(((points > near) & (points < near + length)).astype(int) for near, length in ends) > 0
    counts = sum(((points > s.near[0]) & (points < s.far[0])).astype(int) for s in disjoint(spans))
    assert np.max(counts) <= 1
    assert np.mean(covered != (counts == 1)) < 0.01  # points on an end itself


def test_what_solids_cover_twice_is_cut_out_once():
    def span(near: float, far: float) -> Span:
        return Span(np.array([near], np.float32), np.array([far], np.float32))

    solids = disjoint([span(2, 5), span(4, 6), span(9, 8)])
    assert length_outside(span(0, 10), solids)[0] == pytest.approx(6.0)
