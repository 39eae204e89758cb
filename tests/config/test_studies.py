"""Studies become the cells they describe."""

import pytest

from cxrbench.base.errors import CxrbenchError
from cxrbench.config import studies
from cxrbench.config.setting import Setting

VIEW_BASE = Setting(cohort="views", optimizer="rmsprop")


def test_two_axes_make_every_pair_and_every_seed():
    study = studies.parse("s", {"vary": {"lr": [0.1, 0.01], "batch_size": [4, 8]}})
    cells = studies.expand([study], Setting(), VIEW_BASE, (5, 6))
    assert len(cells) == 8
    assert cells[2].label == "lr=0.1, batch_size=8"
    assert (cells[2].setting.lr, cells[2].setting.batch_size, cells[2].seed) == (0.1, 8, 5)


def test_a_study_without_axes_is_its_base():
    (cell,) = studies.expand([studies.parse("v", {"cohort": "views"})], Setting(), VIEW_BASE, (0,))
    assert (cell.label, cell.setting) == ("base", VIEW_BASE)


def test_a_bad_value_on_an_axis_names_the_study_and_the_setting():
    study = studies.parse("s", {"vary": {"lr": [0.1, -1]}})
    with pytest.raises(CxrbenchError, match=r"studies\.s \(lr=-1\): lr is -1"):
        studies.expand([study], Setting(), VIEW_BASE, (0,))
