"""What one check found: how many rows fail it, and which, by names a person can look up."""

import dataclasses
from string import Formatter
from typing import Any

import pandas as pd

EXAMPLES = 5
NAMES = {  # what a row of a table is called, where not as an image
    "rejects": "{path}",
    "duplicates": "{cohort} {image_a} and {image_b}: {kind}",
    "leaks": "{a} and {b} share {groups}: {examples}",
    "redrawn": "{cohort} {image_id}, seed {seed}",
    "redrawn_leaks": "seed {seed}: {a} and {b} share {groups}: {examples}",
    "shortcuts": "{cohort}, {protocol} protocol: {feature} alone reaches AUC {auc:.3f}",
    "scores": "{name}: {image_id}",
    "runs": "{name}",
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
        return f"{self.sentence}{names if self.examples else ''}"

    @property
    def sentence(self) -> str:
        return f"'{self.check}' fails on table {self.table}: {self.found}"


def outcome(table: str, frame: pd.DataFrame, result: Any) -> Outcome:
    """The Outcome of a great_expectations ExpectationValidationResult over ``frame``, whose index counts its rows."""
    if not result.result:
        raise RuntimeError(f"a check of table {table} could not be computed: {result.exception_info}")
    config = result.expectation_config
    rows, found, failing = _counted(frame, result) if "observed_value" in result.result else _looked_at(result)
    examples = tuple(_named(table, frame.loc[row], _judged(config.kwargs)) for row in failing[:EXAMPLES])
    return Outcome(table, config.description, config.severity.value, bool(result.success), rows, found, examples)


def failures(outcomes: list[Outcome], severity: str) -> list[Outcome]:
    return [outcome for outcome in outcomes if outcome.severity == severity and not outcome.passed]


Finding = tuple[int, str, list[int]]  # rows that fail, the same in words, the places of those to name


def _looked_at(result: Any) -> Finding:
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
    return count - high, f"{count:,} found, {count - high:,} too many", frame.index[:EXAMPLES].tolist()


def _judged(arguments: dict[str, Any]) -> list[str]:
    """The columns that a check looks at."""
    single = [arguments[key] for key in ("column", "column_A", "column_B") if key in arguments]
    return single + arguments.get("column_list", [])


def _named(table: str, row: pd.Series, judged: list[str]) -> str:
    """A row's name and, in brackets, the values that were judged, where the name does not hold them."""
    name = NAMES.get(table, IMAGE_NAME)
    named = {field for _, field, _, _ in Formatter().parse(name)}
    values = [f"{column} {_shown(row[column])}" for column in judged if column not in named]
    return name.format(**row) + (f" [{', '.join(values)}]" if values else "")


def _shown(value: Any) -> str:
    return f"'{value}'" if isinstance(value, str) else str(value)
