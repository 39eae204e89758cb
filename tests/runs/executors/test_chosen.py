"""params.yaml names where runs are trained."""

import sys

import pytest

from cxrbench.base.errors import CxrbenchError
from cxrbench.runs.executors.chosen import chosen


def test_the_local_executor_needs_no_cluster_library(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.setitem(sys.modules, "submitit", None)
    assert chosen("local", 3, tmp_path).slots == 3


@pytest.mark.parametrize(("name", "library"), [("ray", "ray"), ("slurm", "submitit")])
def test_a_cluster_without_its_library_is_a_sentence(name, library, tmp_path, monkeypatch):
    for module in [one for one in sys.modules if one.startswith("cxrbench.runs.executors.")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(CxrbenchError, match=rf"{library} is not installed; pip install 'cxrbench\[{name}\]'"):
        chosen(name, 1, tmp_path)


def test_slurm_has_the_slots_that_the_environment_says_and_its_folder_lies_in_the_store(tmp_path, monkeypatch):
    pytest.importorskip("submitit", reason="the extra 'slurm' is not installed")
    monkeypatch.setenv("CXRBENCH_SLURM", "cluster=local jobs=3 runs=5")
    executor = chosen("slurm", 1, tmp_path)
    assert executor.slots == 15
    assert list((tmp_path / ".slurm").glob("cxrbench-*"))
    executor.close()
