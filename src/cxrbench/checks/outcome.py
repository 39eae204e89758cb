"""What one check found: how many rows fail it, and which, by names a person can look up."""

import dataclasses
from string import Formatter
from typing import Any

import pandas as pd

EXAMPLES = 5
NAMES = {  # what a row of a table is called, where not as an image
    "rejects": "{path}",
    "leaks": "{part_a} and {part_b} share {examples}",
}
IMAGE_NAME = "{cohort} {image_id}: {path}"


@dataclasses.dataclass(frozen=True)
class Outcome:
    table: str
    check: str  # in words
    severity: str  # critical | warning
    passed: bool
    rows: int  # that fail; of a count: how many too few or too many
    found: str  # the same in words
    examples: tuple[str, ...]  # at most EXAMPLES failing rows

    def __str__(self) -> str:
        names = f" ({'; '.join(self.examples)}{'; ...' if self.rows > len(self.examples) else ''})"
        return f"'{self.check}' fails on table {self.table}: {self.found}{names if self.examples else ''}"


def name_columns(table: str) -> list[str]:
    """The columns that name a row of the table."""
    return [field for _, field, _, _ in Formatter().parse(NAMES.get(table, IMAGE_NAME)) if field]


def outcome(table: str, frame: pd.DataFrame, result: Any) -> Outcome:
    """The Outcome of a great_expectations ExpectationValidationResult over ``frame``."""
    if not result.result:
        raise RuntimeError(f"a check of table {table} could not be computed: {result.exception_info}")
    config = result.expectation_config
    rows, found, failing = (_counted if "observed_value" in result.result else _looked_at)(frame, result)
    name = NAMES.get(table, IMAGE_NAME)
    examples = tuple(name.format(**row) for row in failing[:EXAMPLES])
    return Outcome(table, config.description, config.severity.value, bool(result.success), rows, found, examples)


def failures(outcomes: list[Outcome], severity: str) -> list[Outcome]:
    return [outcome for outcome in outcomes if outcome.severity == severity and not outcome.passed]


Finding = tuple[int, str, list[dict[str, Any]]]  # rows that fail, the same in words, those to name


def _looked_at(frame: pd.DataFrame, result: Any) -> Finding:
    """Of a check that judges each row."""
    rows, failing = result.result["unexpected_count"], result.result.get("partial_unexpected_index_list") or []
    return rows, f"{rows:,} of {result.result['element_count']:,} rows", failing


def _counted(frame: pd.DataFrame, result: Any) -> Finding:
    """Of a check that counts rows: who is missing cannot be named, who is too many can."""
    config, count = result.expectation_config, result.result["observed_value"]
    low, high = config.kwargs.get("min_value") or 0, config.kwargs.get("max_value")
    if count < low:
        return low - count, f"{count:,} found, {low - count:,} too few", []
    if high is None or count <= high:
        return 0, f"{count:,} found", []
    for column, value in config.meta["where"].items():
        frame = frame[frame[column] == value]
    return count - high, f"{count:,} found, {count - high:,} too many", frame.head(EXAMPLES).to_dict("records")
