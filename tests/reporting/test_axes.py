import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrbench.reporting.axes import axis

finite = st.floats(-1e9, 1e9, allow_nan=False).filter(lambda value: value == 0 or abs(value) > 1e-6)


@given(st.lists(finite, min_size=1, max_size=20))
def test_an_axis_holds_all_values_between_round_and_different_numbers(values):
    found = axis(np.array(values))
    places = found.place(np.array(values))
    assert (places >= -1e-6).all()
    assert (places <= 1 + 1e-6).all()
    assert 2 <= len(found.ticks) <= 8
    texts = [found.text(tick) for tick in found.ticks]
    if max(values) - min(values) > 1e-4 * max(map(abs, values)):
        assert len(set(texts)) == len(texts)


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([0.61, 0.98], ["0.6", "0.7", "0.8", "0.9", "1.0"]),
        ([0.02, 0.31], ["0.0", "0.1", "0.2", "0.3", "0.4"]),
        ([-3, 41], ["−10", "0", "10", "20", "30", "40", "50"]),
        ([0.9412, 0.9436], [f"0.94{i}" for i in ("10", "15", "20", "25", "30", "35", "40")]),
    ],
)
def test_ticks_are_round_and_have_as_many_decimals_as_they_need(values, texts):
    found = axis(np.array(values))
    assert [found.text(tick) for tick in found.ticks] == texts


def test_epochs_are_whole_and_end_where_training_ended():
    found = axis(np.arange(1.0, 21), 7, whole=True)
    assert (found.low, found.high) == (1, 20)
    assert list(found.ticks) == [5, 10, 15, 20]
    assert list(axis(np.array([1.0]), whole=True).ticks) == [1]
    assert list(axis(np.array([1.0, 2]), whole=True).ticks) == [1, 2]


def test_values_over_several_powers_of_ten_get_a_logarithmic_axis_where_it_is_allowed():
    values = np.array([0.2, 3e4])
    found = axis(values, may_log=True)
    assert found.log
    assert [found.text(tick) for tick in found.ticks] == ["0.1", "1", "10", "100", "1000", "10000", "100000"]
    assert found.place(np.array([1.0])) == pytest.approx([1 / 6])
    assert np.isnan(found.place(np.array([0.0]))).all()
    assert not axis(values).log
    assert len(axis(np.array([1e-3, 1e30]), may_log=True).ticks) <= 8


def test_nothing_finite_still_has_an_axis():
    for values in (np.empty(0), np.array([np.nan, np.inf])):
        assert (axis(values).low, axis(values).high) == (0, 1)
