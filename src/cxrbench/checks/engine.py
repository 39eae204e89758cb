"""The one place that imports Great Expectations: its start-up costs seconds, so it waits for the first check."""

import os
from typing import Any


def load() -> Any:
    """The module ``great_expectations``, told first to send no usage statistics anywhere."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations

    return great_expectations


def expectation(kind: str, words: str, severity: str, where: dict[str, Any] | None, **arguments: Any) -> Any:
    """One expectation of the class ``kind``, named by ``words``, over the rows where each column of ``where`` holds
    its value (None: all rows).

    ``severity``: critical stops the pipeline, warning is only said.
    """
    gx = load()
    from great_expectations.expectations.row_conditions import AndCondition, Column, Condition

    conditions: list[Condition] = [Column(column) == value for column, value in (where or {}).items()]
    if conditions:
        arguments["row_condition"] = conditions[0] if len(conditions) == 1 else AndCondition(conditions=conditions)
    return getattr(gx.expectations, kind)(
        description=words, severity=severity, meta={"where": where or {}}, **arguments
    )
