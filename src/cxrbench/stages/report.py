"""report: metrics and published tables -> reports/: the page, tables, metrics.json, points to plot."""

from pathlib import Path

from cxrbench.base.entry import run
from cxrbench.config import params as parameters
from cxrbench.evaluation.comparisons import Rules
from cxrbench.published import papers
from cxrbench.reporting.context import context_of
from cxrbench.reporting.report import write_report
from cxrbench.reporting.results import read_results


def main() -> None:
    params = parameters.load()
    rules = Rules(**params.report.model_dump())
    results = read_results(Path("data"))
    write_report(Path("reports"), results, papers.load("data/published"), context_of(params), rules)


if __name__ == "__main__":
    run(main)
