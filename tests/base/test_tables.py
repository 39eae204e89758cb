"""Tables come back as they were written, and a damaged one is refused in words."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrbench.base import files, tables
from cxrbench.base.errors import CxrbenchError

# A file may be named by any characters but NUL.
TEXT = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=12)


@given(
    st.lists(
        st.tuples(
            TEXT,
            TEXT,
            TEXT,
            st.sampled_from(["train", ""]),
            st.integers(0, 1),
            st.floats(0, 1, width=32) | st.just(float("nan")),
        ),
        max_size=8,
    )
)
def test_a_table_is_read_as_it_was_written(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("table") / "scores.csv"
    columns = ["source", "image_id", "patient_id", "part", "target", "score"]
    frame = pd.DataFrame(rows, columns=columns)
    tables.write_table(path, frame, "scores")
    back = tables.read_table(path, "scores")
    assert back[columns[:5]].to_numpy().tolist() == frame[columns[:5]].to_numpy().tolist()
    assert back["score"].astype("float32").equals(frame["score"].astype("float32"))


def test_every_table_can_be_empty(tmp_path):
    for name in tables.TABLES:
        tables.write_table(tmp_path / name, tables.empty(name), name)
        assert len(tables.read_table(tmp_path / name, name)) == 0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "does not exist"),
        (b"", "not a readable"),
        (b"a,b\n1,2\n", "has columns"),
        (b"\xff\xfe\x00", "not a readable"),
        (b"study,setting,seed,run\nlr,x,one,y\n", "wrong type"),
    ],
)
def test_a_damaged_table_is_refused_in_words(tmp_path, content, words):
    if content is not None:
        (tmp_path / "grid.csv").write_bytes(content)
    with pytest.raises(CxrbenchError, match=words):
        tables.read_table(tmp_path / "grid.csv", "grid")


def test_a_table_of_other_columns_is_not_written(tmp_path):
    with pytest.raises(CxrbenchError):
        tables.write_table(tmp_path / "t.csv", pd.DataFrame({"a": [1]}), "grid")
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "t.txt"
    files.write_text(path, "old")

    def full(*args):
        raise OSError("disk full")

    monkeypatch.setattr(files.os, "replace", full)
    with pytest.raises(OSError, match="disk full"):
        files.write_text(path, "new")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["t.txt"]
