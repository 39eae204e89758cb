"""Reads a table that came with a data set or out of a spreadsheet: a text file of rows, plain or gzip, as text.

Encoding and separator are what the file shows: a byte order mark, UTF-8, else Korean or Western Windows; comma,
semicolon, tab or bar, whichever makes known columns of the header. Columns are known by their usual names, whatever
their case and separators. What cannot be read this way is refused with its cause.
"""

import csv
import dataclasses
import gzip
import io
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd

from cxrbench.base.errors import CxrbenchError

SEPARATORS = ",;\t|"
MARKS = (  # the longer first: UTF-32's mark begins with UTF-16's
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
)
OTHER_FORMATS = (
    (b"PK\x03\x04", "it is an Excel workbook or a zip archive"),
    (b"\xd0\xcf\x11\xe0", "it is an old Excel workbook"),
)
HEADER_LETTERS = 1 << 16  # the header lies within so many letters
AS_UTF8 = "save it as 'CSV UTF-8'"


@dataclasses.dataclass(frozen=True)
class SourceTable:
    """The columns that a reader asked for."""

    rows: pd.DataFrame  # str, stripped, '' where a cell is empty or the column absent; the index is the line number
    names: dict[str, str]  # column asked for -> its name in the file, for those that are there
    ignored: tuple[str, ...]  # names of the other columns
    notes: tuple[str, ...]  # sentences for the user


def read_source_table(
    path: Path,
    required: Sequence[str],
    optional: Sequence[str] = (),
    also_named: Mapping[str, Sequence[str]] | None = None,
) -> SourceTable:
    """The columns ``required`` and ``optional``; ``also_named`` says by which other names a column is known.

    Rows without any value are skipped. CxrbenchError where the file cannot be read, a required column is missing, two
    columns have one meaning, or a row has more fields than the header.
    """
    known = {_plain(name): name for name in (*required, *optional)}
    known |= {_plain(other): name for name, others in (also_named or {}).items() for other in others}
    text, notes = _text(path)
    try:
        separator, text = _separator(text, known)
        records = _records(text, separator)
        _, header = next(records, (0, []))
        header = [name.strip() for name in header]
        places, ignored = _places(path, header, known)
        if missing := [name for name in required if name not in places]:
            raise CxrbenchError(
                f"table {path} has columns {', '.join(header) or 'none'} and lacks {_either(missing[0], also_named)};"
                " add what is missing"
            )
        lines: list[int] = []
        cells: dict[str, list[str]] = {name: [] for name in places}
        for line, fields in records:
            if len(fields) > len(header) and "".join(fields[len(header) :]).strip():
                raise CxrbenchError(
                    f"table {path} has {len(fields)} fields in line {line} and {len(header)} columns; put quotes around"
                    f" a field that holds {separator!r}"
                )
            lines.append(line)
            for name, place in places.items():
                cells[name].append(fields[place].strip() if place < len(fields) else "")
    except csv.Error as error:
        raise CxrbenchError(f"table {path} cannot be read ({error}); fetch or write it anew") from None
    if not lines:
        raise CxrbenchError(f"table {path} has its columns but no rows; correct the cohort's root and table")
    columns = {name: cells.get(name, [""] * len(lines)) for name in (*required, *optional)}
    return SourceTable(
        pd.DataFrame(columns, index=pd.Index(lines), dtype="str"),
        {name: header[place] for name, place in places.items()},
        ignored,
        notes,
    )


def _plain(name: str) -> str:
    """A column's name without case and separators: 'Patient ID', 'patient_id' and 'PatientID' are one."""
    return re.sub(r"[\s_.-]", "", name).lower()


def _either(name: str, also_named: Mapping[str, Sequence[str]] | None) -> str:
    others = (also_named or {}).get(name, ())
    return f"{name} (or {', '.join(others)})" if others else name


def _places(path: Path, header: list[str], known: dict[str, str]) -> tuple[dict[str, int], tuple[str, ...]]:
    """Where each known column stands in the header, and the names of all others."""
    places: dict[str, int] = {}
    ignored = []
    for place, written in enumerate(header):
        name = known.get(_plain(written))
        if name is None:
            if written:
                ignored.append(written)
        elif name in places:
            raise CxrbenchError(
                f"table {path} has two columns for {name}, '{header[places[name]]}' and '{written}'; keep one, or give"
                " the other another name"
            )
        else:
            places[name] = place
    return places, tuple(ignored)


def _separator(text: str, known: dict[str, str]) -> tuple[str, str]:
    """The separator that makes the most known columns of the header, and the text without a line 'sep=;' of Excel."""
    if match := re.match(r"sep=(.)\r?\n", text, re.IGNORECASE):
        return match[1], text[match.end() :]

    def columns(separator: str) -> tuple[int, int]:
        _, header = next(_records(text[:HEADER_LETTERS], separator), (0, []))
        return sum(_plain(name) in known for name in header), len(header)

    return max(SEPARATORS, key=columns), text


def _records(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """The line in which each record begins, and its fields; records without any value are left out."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True, strict=True)
    line = 1
    for fields in reader:
        if any(fields) and not all(map(str.isspace, filter(None, fields))):
            yield line, fields
        line = reader.line_num + 1


def _text(path: Path) -> tuple[str, tuple[str, ...]]:
    """The decoded text, and a note where the encoding had to be guessed."""
    try:
        data = path.read_bytes()
        if path.suffix.lower() == ".gz" or data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
    except FileNotFoundError:
        raise CxrbenchError(f"table {path} does not exist; correct the cohort's root and table") from None
    except (EOFError, OSError, zlib.error) as error:
        raise CxrbenchError(f"table {path} cannot be read ({error}); fetch or write it anew") from None
    for magic, what in OTHER_FORMATS:
        if data.startswith(magic):
            raise CxrbenchError(f"table {path} cannot be read: {what}; {AS_UTF8}")
    marked = next((encoding for mark, encoding in MARKS if data.startswith(mark)), None)
    try:
        text = data.decode(marked or "utf-8")
        notes: tuple[str, ...] = ()
    except UnicodeDecodeError as error:
        if marked:
            raise CxrbenchError(f"table {path} cannot be read ({error}); {AS_UTF8}") from None
        text, notes = _guessed(path, data)
    if not text.strip():
        raise CxrbenchError(f"table {path} cannot be read: it is empty; fetch or write it anew")
    if "\0" in text:
        raise CxrbenchError(f"table {path} cannot be read: it holds zero bytes, which no text does; {AS_UTF8}")
    return text, notes


def _guessed(path: Path, data: bytes) -> tuple[str, tuple[str, ...]]:
    """Text in the code page of a Korean or a Western Windows; nothing in the file names it.

    Of a Korean syllable both bytes are nearly always above 127; a Western text has such bytes one by one.
    """
    beyond_ascii = sum(byte > 127 for byte in data)
    for encoding, language in (("cp949", "Korean"), ("cp1252", "Western European")):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        letters = [letter for letter in text if ord(letter) > 127]
        syllables = all("\uac00" <= letter <= "\ud7a3" for letter in letters) and beyond_ascii >= 1.5 * len(letters)
        if encoding == "cp1252" or syllables:
            note = f"table {path} is not UTF-8 and was read as {language} ({encoding}); {AS_UTF8} if names look wrong"
            return text, (note,)
    raise CxrbenchError(f"table {path} cannot be read: it is neither UTF-8 nor cp949 nor cp1252; {AS_UTF8}")
