"""report: metrics and published tables -> reports/: the page, tables, metrics.json, points to plot, model cards.

The page and the cards are attached to MLflow, which decides about nothing here.
"""

from pathlib import Path

from cxrbench.base.entry import run
from cxrbench.config import params as parameters
from cxrbench.published import papers
from cxrbench.reporting.card import write_cards
from cxrbench.reporting.context import context_of, rules_of
from cxrbench.reporting.report import write_report
from cxrbench.reporting.results import read_results
from cxrbench.tracking.report_log import attach_after_the_stage


def main() -> None:
    params = parameters.load()
    rules = rules_of(params.report)
    results = read_results(Path("data"))
    reports = Path("reports")
    known, context = papers.load("data/published"), context_of(params)
    write_report(reports, results, known, context, rules, reports / "plots")
    write_cards(reports / "cards", results, known, context, rules)
    attach_after_the_stage(reports, params.restricted)


if __name__ == "__main__":
    run(main)
