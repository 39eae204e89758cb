import dataclasses
import json

import pytest

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.origins import FILE, Origin, read_origins, write_origins
from cxrbench.reporting import provenance
from cxrbench.reporting.context import Context

CONTEXT = Context("quick", {"pneumonia": "phantom"}, ())
FIRST = Origin(("a", "b"), "1" * 40, False, {"data/split": "m1"})
SECOND = Origin(("c",), "2" * 40, True, {"data/split": "m2"})


def record(processor="Xeon, 4 cores", keras="3.15", **other):
    return {
        "setting": {"cohort": "pneumonia", "protocol": "patient"},
        "train_seconds": 1800.0,
        "timing": {"machine": processor, "workers": 2, "threads": 1},
        "environment": {
            "python": "3.12", "keras": keras, "backend": "jax", "jax": "0.7", "numpy": "2.4", "device": "cpu",
            "platform": "Linux x86_64",
        },
        "data": {"sha256": "f" * 64, "train": 2930, "validation": 2426, "test": 500},
        **other,
    }  # fmt: skip


def test_each_commit_stands_with_its_runs_and_whether_the_code_differed_from_it():
    table = provenance.code([FIRST, SECOND], ["a", "b", "c", "d"], CONTEXT)
    assert table.rows == [
        ["1" * 40, "none", "2 runs"],
        ["2" * 40, "yes", "1 runs"],
        ["not known", "–", "1 runs"],
    ]
    packed = dataclasses.replace(CONTEXT, commit="3" * 40, changed=True)
    assert provenance.code([FIRST], ["a"], packed).rows[-1] == ["3" * 40, "yes", "packing of the results"]


def test_runs_on_the_same_images_are_one_row_by_their_hash():
    other = {**record()["data"], "sha256": "e" * 64}
    table = provenance.images([record(), record(), record(data=other)])
    assert table.rows == [
        ["pneumonia", "patient", "2,930", "2,426", "500", "2", "f" * 64],
        ["pneumonia", "patient", "2,930", "2,426", "500", "1", "e" * 64],
    ]
    assert provenance.images([{"setting": {}}]).rows == [["–", "–", "–", "–", "–", "1", "–"]]


def test_an_output_of_a_stage_stands_with_the_runs_that_were_trained_on_it():
    (table,) = provenance.stage_outputs([FIRST, SECOND])
    assert table.rows == [["data/split", "m1", "2"], ["data/split", "m2", "1"]]
    assert provenance.stage_outputs([Origin(("a",))]) == []


def test_machines_stand_with_versions_threads_and_hours():
    table = provenance.machines([record(), record(), record("H100", keras="3.16")])
    versions = "Python 3.12, Keras {}, jax 0.7, NumPy 2.4"
    assert table.rows == [
        ["Xeon, 4 cores", "cpu", "Linux x86_64", "2 × 1", versions.format("3.15"), "2", "1.0"],
        ["H100", "cpu", "Linux x86_64", "2 × 1", versions.format("3.16"), "1", "0.5"],
    ]


def test_the_commands_name_each_commit_and_what_made_the_runs():
    made = dataclasses.replace(CONTEXT, command="dvc exp run -S lr=0.01")
    shown = [row[1] for row in provenance.commands([FIRST, SECOND, Origin(("d",))], made).rows]
    assert shown[:2] == [f"git checkout {'1' * 40}", f"git checkout {'2' * 40}"]
    assert "dvc exp run -S lr=0.01" in shown
    assert not any("git" in row[1] for row in provenance.commands([], CONTEXT).rows)


def test_origins_are_read_as_written_and_none_where_an_earlier_version_wrote(tmp_path):
    assert read_origins(tmp_path) == []
    write_origins(tmp_path, [FIRST, SECOND])
    read = read_origins(tmp_path)
    assert [dataclasses.replace(one, runs=tuple(one.runs)) for one in read] == [FIRST, SECOND]


@pytest.mark.parametrize("text", ["{", json.dumps([{"runs": [], "host": "x"}]), "1"])
def test_damaged_origins_are_one_sentence(tmp_path, text):
    (tmp_path / FILE).write_text(text)
    with pytest.raises(CxrbenchError, match=r"origins\.json is damaged"):
        read_origins(tmp_path)
