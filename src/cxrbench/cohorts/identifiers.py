"""Identifiers of patients, studies and images as tables write them, and as one text for each.

Spreadsheets and pandas turn a column of whole numbers into floating-point numbers once one cell is empty: 50000001
becomes 50000001.0 or 5.00E+07. The first still says which number it was; of the second the digits are lost.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from cxrbench.base.errors import CxrbenchError

EMPTY = {"", "nan", "<na>", "na", "n/a", "none", "null"}  # how programs write that there is none
WHOLE = re.compile(r"(\d+)\.0*")
POWER = re.compile(r"(\d)(?:(?:\.(\d*))?[eE]\+|\.(\d*)[eE])(\d{1,3})")  # '5e7' may be an identifier as it is
LARGEST = 2**53  # from here on not every whole number is a floating-point number of 64 bits


def identifier(text: str) -> str | None:
    """The identifier that a cell means, '' for none; None where a number was rounded and its digits are lost."""
    text = text.strip()
    if text.lower() in EMPTY:
        return ""
    if match := WHOLE.fullmatch(text):
        return match[1] if int(match[1]) <= LARGEST else None
    if match := POWER.fullmatch(text):
        decimals, power = (match[2] or match[3] or ""), int(match[4])
        number, fraction = match[1] + decimals[:power], decimals[power:]
        lost = len(decimals) < power or fraction.strip("0") or int(number) > LARGEST
        return None if lost else number
    return text


def identifiers(cells: pd.Series, column: str, table: Path) -> pd.Series:
    """The identifiers of a column of text; CxrbenchError where one was rounded."""
    meant = {text: identifier(text) for text in cells.unique().tolist()}
    for text, name in meant.items():
        if name is None:
            raise CxrbenchError(
                f"table {table} has {column} '{text}' in line {cells.index[cells == text][0]}, a rounded number whose"
                " last digits are lost; export the table again with that column as text"
            )
    return cells.map(meant)


def one_row_each(rows: pd.DataFrame, key: str, columns: Sequence[str], table: Path) -> pd.DataFrame:
    """The first row of each ``key``; CxrbenchError where another row of the same key disagrees in ``columns``."""
    distinct = rows.drop_duplicates([key, *columns])
    again = distinct[key].duplicated()
    if again.any():
        name = distinct.loc[again, key].iloc[0]
        one, other = distinct[distinct[key] == name].iloc[:2].iloc
        column = next(column for column in columns if one[column] != other[column])
        raise CxrbenchError(
            f"table {table} has {key} '{name}' twice, with {column} '{one[column]}' in line {one.name} and"
            f" '{other[column]}' in line {other.name}; keep the right one"
        )
    return rows.drop_duplicates(key)
