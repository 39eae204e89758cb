"""The kinds of check in use, each a line: Great Expectations' classes by what they ask of a table.

A missing number (NaN) passes every check but ``known``; an empty text is a text. ``where`` narrows a check to the
rows in which each column holds its value (Great Expectations 1.24 cannot do that for ``pairs``). ``severity`` is
critical (stops the pipeline) or warning (is only said).
"""

from collections.abc import Collection
from typing import Any

from cxrbench.checks.engine import expectation

Where = dict[str, Any] | None


def in_set(column: str, values: Collection[Any], words: str, where: Where = None, severity: str = "critical") -> Any:
    kind = "ExpectColumnValuesToBeInSet"
    return expectation(kind, words, severity, where, column=column, value_set=list(values))


def matches(
    column: str, pattern: str, words: str, where: Where = None, severity: str = "critical", mostly: float = 1.0
) -> Any:
    """``mostly``: the share of rows that must match."""
    kind = "ExpectColumnValuesToMatchRegex"
    return expectation(kind, words, severity, where, column=column, regex=pattern, mostly=mostly)


def filled(column: str, words: str) -> Any:
    """No empty text, and none of blanks alone."""
    return matches(column, r"\S", words)


def between(
    column: str, low: float | None, high: float | None, words: str, where: Where = None, severity: str = "critical"
) -> Any:
    kind = "ExpectColumnValuesToBeBetween"
    return expectation(kind, words, severity, where, column=column, min_value=low, max_value=high)


def known(column: str, words: str, where: Where = None) -> Any:
    return expectation("ExpectColumnValuesToNotBeNull", words, "critical", where, column=column)


def unique(columns: list[str], words: str) -> Any:
    return expectation("ExpectCompoundColumnsToBeUnique", words, "critical", None, column_list=columns)


def pairs(first: str, second: str, values: Collection[tuple[str, str]], words: str) -> Any:
    kind = "ExpectColumnPairValuesToBeInSet"
    return expectation(kind, words, "critical", None, column_A=first, column_B=second, value_pairs_set=list(values))


def equal(first: str, second: str, words: str) -> Any:
    """Where both are there, they are the same."""
    skip = "either_value_is_missing"
    kind = "ExpectColumnPairValuesToBeEqual"
    return expectation(kind, words, "critical", None, column_A=first, column_B=second, ignore_row_if=skip)


def ascending(first: str, second: str, words: str) -> Any:
    kind = "ExpectColumnPairValuesAToBeGreaterThanB"
    return expectation(kind, words, "critical", None, column_A=second, column_B=first)


def count(low: int, high: int | None, words: str, where: Where = None, severity: str = "critical") -> Any:
    """So many rows; ``high`` None: or more."""
    return expectation("ExpectTableRowCountToBeBetween", words, severity, where, min_value=low, max_value=high)
