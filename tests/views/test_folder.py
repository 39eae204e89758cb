"""Any folder becomes a table with a row a file; a table is there whole or not at all."""

import math
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.tables import read_table
from cxrbench.images.decode import Undecodable
from cxrbench.views import folder
from cxrbench.views.stored import ViewModel
from cxrbench.views.stream import Scored

MODEL = ViewModel(None, "binary_crossentropy", 64, "squash", (0.1, 0.9), "run", {}, "")


def say(monkeypatch, scored):
    monkeypatch.setattr(folder, "score_files", lambda files, model, workers: iter(scored))


def write(out, files=()):
    return folder.call_views(list(files), MODEL, out, 1, lambda steps, detail: None)


def test_each_row_says_the_view_or_why_there_is_none(tmp_path, monkeypatch):
    scored = [
        Scored("a", 0.9), Scored("b", 0.89), Scored("c", 0.1), Scored("d", 0.0999999), Scored("e", math.nan),
        Scored("f", math.nan, Undecodable("f", "truncated", 'ends, "early"')),
    ]  # fmt: skip
    say(monkeypatch, scored)
    assert write(tmp_path / "t.csv") == {"frontal": 1, "": 3, "lateral": 1, "unusable": 1}
    table = read_table(tmp_path / "t.csv", "views")
    assert list(table["path"]) == list("abcdef")
    assert list(table["view"]) == ["frontal", "", "", "lateral", "", ""]
    assert list(table["view_score"][:4]) == [0.9, 0.89, 0.1, 0.0999999]
    assert table["view_score"][4:].isna().all()
    assert list(table["reason"]) == [
        "", folder.ABSTAINS, folder.ABSTAINS, "", folder.NO_SCORE, 'truncated: ends, "early"'
    ]  # fmt: skip


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1))
def test_any_name_comes_back_as_it_was(tmp_path_factory, name):
    out = tmp_path_factory.mktemp("names") / "t.csv"
    with pytest.MonkeyPatch.context() as patch:
        say(patch, [Scored(name, 0.5), Scored("last", 0.5)])
        write(out)
    assert list(read_table(out, "views")["path"]) == [name, "last"]


def test_a_name_that_is_not_utf8_is_written_with_its_bytes_escaped(tmp_path, monkeypatch):
    say(monkeypatch, [Scored(os.fsdecode(b"caf\xe9.jpg"), 0.95)])
    write(tmp_path / "t.csv")
    assert list(read_table(tmp_path / "t.csv", "views")["path"]) == ["caf\\udce9.jpg"]


@pytest.mark.parametrize("stop", [KeyboardInterrupt, CxrbenchError, MemoryError])
def test_what_stops_the_work_leaves_the_old_table_and_nothing_else(tmp_path, monkeypatch, stop):
    def stopped():
        yield Scored("a", 0.95)
        raise stop("stopped")

    out = tmp_path / "t.csv"
    out.write_text("of before")
    monkeypatch.setattr(folder, "score_files", lambda files, model, workers: stopped())
    with pytest.raises(stop):
        write(out)
    assert out.read_text() == "of before"
    assert os.listdir(tmp_path) == ["t.csv"]


def test_a_table_replaces_the_old_one_and_makes_its_folder(tmp_path, monkeypatch):
    for name in ("t.csv", "new/folder/t.csv"):
        for paths in ("ab", "c"):
            say(monkeypatch, [Scored(path, 0.95) for path in paths])
            write(tmp_path / name)
            assert list(read_table(tmp_path / name, "views")["path"]) == list(paths)
    assert sorted(os.listdir(tmp_path)) == ["new", "t.csv"]
    assert os.listdir(tmp_path / "new" / "folder") == ["t.csv"]


def test_a_table_that_cannot_be_written_is_told_before_any_file_is_decoded(tmp_path, monkeypatch):
    monkeypatch.setattr(folder, "score_files", None)
    (tmp_path / "file").touch()
    with pytest.raises(CxrbenchError, match="is a folder; give --out a file's name"):
        write(tmp_path)
    with pytest.raises(CxrbenchError, match=r"t\.csv cannot be written: .* choose another --out"):
        write(tmp_path / "file" / "t.csv")
