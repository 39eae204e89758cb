"""Runs every suite over its table and writes the pages that show what came out."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from cxrbench.checks import docs
from cxrbench.checks.engine import load
from cxrbench.checks.outcome import Outcome, outcome


def run_checks(
    tables: dict[str, pd.DataFrame], suites: dict[str, list[Any]], title: str, docs_dir: Path | None = None
) -> list[Outcome]:
    """One Outcome a check, in the order of ``suites`` (table -> expectations).

    ``docs_dir`` gets index.html, headed ``title``, and a page a table.
    """
    opened = open_tables(suites)
    pages = {}
    for table, checks in suites.items():
        results = validate(opened[table], tables[table], checks)
        pages[table] = ([outcome(table, tables[table], result) for result in results], results)
    if docs_dir is not None:
        docs.write(docs_dir, title, pages)
    return [found for outcomes, _ in pages.values() for found in outcomes]


def open_tables(tables: Iterable[str]) -> dict[str, Any]:
    """Table -> its great_expectations BatchDefinition, of one context that lives in memory and shows no progress."""
    gx = load()
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    source = context.data_sources.add_pandas("tables")
    return {table: source.add_dataframe_asset(table).add_batch_definition_whole_dataframe(table) for table in tables}


def validate(opened: Any, frame: pd.DataFrame, checks: list[Any]) -> list[Any]:
    """ExpectationValidationResults in the order of the checks (Great Expectations orders them by column)."""
    batch = opened.get_batch(batch_parameters={"dataframe": frame})
    suite = load().ExpectationSuite(name=opened.name, expectations=checks)
    result_format = {"result_format": "COMPLETE", "return_unexpected_index_query": False}
    results = batch.validate(suite, result_format=result_format).results
    order = [check.description for check in checks]
    return sorted(results, key=lambda result: order.index(result.expectation_config.description))
