"""Tables as people, spreadsheets and programs save them: read, or refused with the cause."""

import contextlib
import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrbench.base.errors import CxrbenchError
from cxrbench.cohorts.source_table import SEPARATORS, read_source_table

COMMA = "path,label,notes\na.png,Normal,x\nb.png,폐렴,y\n"
ROWS = [("a.png", "Normal"), ("b.png", "폐렴")]


def read(path, content, **more):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_source_table(path, ("path", "label"), ("patient_id",), **more)


def rows(table):
    return list(table.rows[["path", "label"]].itertuples(index=False, name=None))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp949"])
def test_every_usual_encoding_is_read(tmp_path, encoding):
    table = read(tmp_path / "t.csv", COMMA.encode(encoding))
    assert rows(table) == ROWS
    assert len(table.notes) == (encoding == "cp949")  # a guess is said


@pytest.mark.parametrize("word", ["Müller", "Ärzte", "français", "À la carte", "Göteborg Öst", "Señor"])
def test_western_letters_of_windows_are_not_taken_for_korean(tmp_path, word):
    table = read(tmp_path / "t.csv", f"path,label\na.png,{word}\n".encode("cp1252"))
    assert rows(table) == [("a.png", word)]
    assert "cp1252" in table.notes[0]


@pytest.mark.parametrize("separator", SEPARATORS)
def test_every_usual_separator_is_read(tmp_path, separator):
    assert rows(read(tmp_path / "t.csv", COMMA.replace(",", separator))) == ROWS


def test_the_separator_is_the_one_that_makes_known_columns(tmp_path):
    text = 'path;"label";a, b, c and d\na.png;x;"1;2"\n'
    table = read(tmp_path / "t.csv", text)
    assert rows(table) == [("a.png", "x")]
    assert table.header == ("path", "label", "a, b, c and d")


def test_excels_own_line_about_the_separator_is_heard(tmp_path):
    assert rows(read(tmp_path / "t.csv", "sep=;\r\npath;label\r\na.png;x\r\n")) == [("a.png", "x")]


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_every_line_end_blank_rows_and_quoted_line_ends_are_read(tmp_path, ends):
    text = '\nPath,LABEL,Notes\n\na.png,x,"one\ntwo, three"\n,,\nb.png,y,\n\n'.replace("\n", ends)
    table = read(tmp_path / "t.csv", text)
    assert rows(table) == [("a.png", "x"), ("b.png", "y")]
    assert list(table.rows.index) == [4, 7]  # the line in which each row begins


def test_gzip_is_known_by_its_name_and_by_its_bytes(tmp_path):
    for name in ("t.csv.gz", "t.csv"):
        assert rows(read(tmp_path / name, gzip.compress(COMMA.encode()))) == ROWS


@pytest.mark.parametrize("name", ["patient_id", "PatientID", "Patient ID", "patient-id", "PATIENT", "subject"])
def test_a_column_is_known_by_its_usual_names(tmp_path, name):
    text = f"path,label,{name},age\na.png,x,p1,9\n"
    table = read(tmp_path / "t.csv", text, also_named={"patient_id": ("patient", "subject")})
    assert list(table.rows["patient_id"]) == ["p1"]
    assert table.names["patient_id"] == name
    assert table.header == ("path", "label", name, "age")


@pytest.mark.parametrize("second", ["Patient", "patient_id", "subject"])
def test_two_columns_of_one_meaning_are_an_error_that_names_both(tmp_path, second):
    with pytest.raises(CxrbenchError, match=f"two columns for patient_id, 'PatientID' and '{second}'"):
        read(
            tmp_path / "t.csv",
            f"path,label,PatientID,{second}\na,b,c,d\n",
            also_named={"patient_id": ("patient", "subject")},
        )


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"PK\x03\x04rest", "Excel workbook or a zip"),
        (b"\xd0\xcf\x11\xe0rest", "old Excel workbook"),
        (b"p\0a\0t\0h\0", "zero bytes"),
        (b"\xff\xfe\x00binary", "UTF-8"),
        (b"path,label\n\x81,\x8d\n", "neither UTF-8 nor cp949 nor cp1252"),
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"path,kind\na,b\n", "lacks label"),
        (b"path,label\n", "no rows"),
        (b'path,label\n"a,b\n', "unexpected end of data"),
        (b"path,label\na,b\nc,d,e\n", "3 fields in line 3 and 2 columns"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_cause(tmp_path, content, cause):
    with pytest.raises(CxrbenchError, match=cause) as caught:
        read(tmp_path / "t.csv", content)
    assert "t.csv" in str(caught.value)


def test_short_rows_are_filled_and_empty_fields_at_the_end_do_no_harm(tmp_path):
    assert rows(read(tmp_path / "t.csv", "path,label,x\na.png,b,,,\nc.png\n")) == [("a.png", "b"), ("c.png", "")]


@given(st.lists(st.tuples(st.text(min_size=1), st.text()), min_size=1))
def test_no_text_raises_anything_but_one_sentence(tmp_path_factory, pairs):
    path = tmp_path_factory.mktemp("t") / "t.csv"
    content = "path,label\n" + "".join(f"{a},{b}\n" for a, b in pairs)
    path.write_bytes(content.encode("utf-8", "surrogatepass"))
    with contextlib.suppress(CxrbenchError):
        read_source_table(path, ("path", "label"))
