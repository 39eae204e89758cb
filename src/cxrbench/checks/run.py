"""Runs every suite over its table and writes the pages that show what came out."""

from pathlib import Path
from typing import Any

import pandas as pd

from cxrbench.checks import docs
from cxrbench.checks.engine import load
from cxrbench.checks.outcome import Outcome, name_columns, outcome
from cxrbench.checks.suites import Labels, Quotas, suites


def run_checks(
    tables: dict[str, pd.DataFrame],
    labels: Labels,
    quotas: Quotas,
    official_shortfall: float,
    docs_dir: Path | None = None,
) -> list[Outcome]:
    """One Outcome a check, in the order of the suites.

    ``tables`` holds manifest, rejects, frontal, review, assignment and leaks; ``labels`` and ``quotas`` are those
    of ``suites``. ``docs_dir`` gets index.html and a page a table.
    """
    files = tables["manifest"]["cohort"].value_counts().add(tables["rejects"]["cohort"].value_counts(), fill_value=0)
    frontal = tables["frontal"]
    own_split = set(frontal["cohort"][(frontal["source_part"] != "") & (frontal["label"] != "")])
    expected = suites(labels, quotas, files.astype(int).to_dict(), own_split, official_shortfall)
    source = open_source()
    outcomes: list[Outcome] = []
    pages = {}
    for table, suite in expected.items():
        results = validate(source, table, tables[table], suite)
        found = [outcome(table, tables[table], result) for result in results]
        outcomes += found
        pages[table] = (found, results)
    if docs_dir is not None:
        docs.write(docs_dir, pages)
    return outcomes


def open_source() -> Any:
    """A pandas source of a context that lives in memory only and shows no progress bars."""
    gx = load()
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    return context.data_sources.add_pandas("tables")


def validate(source: Any, table: str, frame: pd.DataFrame, suite: Any) -> list[Any]:
    """ExpectationValidationResults in the order of the suite (Great Expectations orders them by column)."""
    definition = source.add_dataframe_asset(table).add_batch_definition_whole_dataframe("all rows")
    result_format = {
        "result_format": "COMPLETE",
        "unexpected_index_column_names": name_columns(table),
        "return_unexpected_index_query": False,
    }
    batch = definition.get_batch(batch_parameters={"dataframe": frame})
    results = batch.validate(suite, result_format=result_format).results
    order = [check.description for check in suite.expectations]
    return sorted(results, key=lambda result: order.index(result.expectation_config.description))
