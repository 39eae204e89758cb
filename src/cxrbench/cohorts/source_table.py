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
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

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
    header: tuple[str, ...]
    names: dict[str, str]  # column asked for -> its name in the file, for those that are there
    notes: tuple[str, ...]  # sentences for the user


def read_source_table(
    path: Path,
    required: Sequence[str],
    optional: Sequence[str] = (),
    also_named: Mapping[str, Sequence[str]] = MappingProxyType({}),
    named: Mapping[str, str] = MappingProxyType({}),
) -> SourceTable:
    """The columns ``required`` and ``optional``; ``also_named`` says by which other names a column is known.

    A column in ``named`` is known by that name alone. Rows without any value are skipped. CxrbenchError where the file
    cannot be read, a required column or one in ``named`` is missing, two columns have one meaning, or a row has more
    fields than the header.
    """
    usual = [name for name in (*required, *optional) if name not in named]
    known = {_plain(name): name for name in usual}
    known |= {_plain(other): name for name in usual for other in also_named.get(name, ())}
    text, notes = _text(path)
    try:
        separator, text = _separator(text, {*known, *map(_plain, named.values())})
        records = _records(text, separator)
        _, header = next(records, (0, []))
        header = [name.strip() for name in header]
        places = {**_places(path, header, known), **_named_places(path, header, named)}
        if missing := [name for name in required if name not in places]:
            raise lacking(path, header, missing[0], also_named)
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
        tuple(header),
        {name: header[place] for name, place in places.items()},
        notes,
    )


def lacking(path: Path, header: Sequence[str], name: str, also_named: Mapping[str, Sequence[str]]) -> CxrbenchError:
    """The error of a table without column ``name``."""
    others = also_named.get(name, ())
    either = f"{name} (or {', '.join(others)})" if others else name
    told = f", or tell which column it is: columns: {{{name}: ITS NAME}} in the cohort's settings" if others else ""
    told += f", --column '{name}=ITS NAME' of cxrbench new" if others else ""
    return CxrbenchError(
        f"table {path} has columns {', '.join(header) or 'none'} and lacks {either}; add what is missing{told}"
    )


def _plain(name: str) -> str:
    """A column's name without case and separators: 'Patient ID', 'patient_id' and 'PatientID' are one."""
    return re.sub(r"[\s_.-]", "", name).lower()


def _places(path: Path, header: list[str], known: dict[str, str]) -> dict[str, int]:
    """Where each known column stands in the header."""
    places: dict[str, int] = {}
    for place, written in enumerate(header):
        name = known.get(_plain(written))
        if name is None:
            continue
        if name in places:
            raise CxrbenchError(
                f"table {path} has two columns for {name}, '{header[places[name]]}' and '{written}'; keep one, or give"
                " the other another name"
            )
        places[name] = place
    return places


def _named_places(path: Path, header: list[str], named: Mapping[str, str]) -> dict[str, int]:
    """Where each column stands that the user names; two may be one, such as a patient's key that names the file."""
    plain = [_plain(written) for written in header]
    places = {}
    for name, own in named.items():
        if own in header:
            places[name] = header.index(own)
        elif _plain(own) in plain:
            places[name] = plain.index(_plain(own))
        else:
            raise CxrbenchError(
                f"table {path} has columns {', '.join(header) or 'none'} and no '{own}', which the cohort's columns"
                f" name as its {name}; write the name as the table has it"
            )
    return places


def _separator(text: str, known: Collection[str]) -> tuple[str, str]:
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
