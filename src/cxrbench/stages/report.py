"""report: metrics and published tables -> reports/: the page, tables, metrics.json, points to plot."""

from pathlib import Path

from cxrbench.base.entry import run
from cxrbench.config import params as parameters
from cxrbench.evaluation.comparisons import Rules
from cxrbench.reporting import published
from cxrbench.reporting.report import Context, write_report
from cxrbench.reporting.results import read_results


def main() -> None:
    params = parameters.load()
    rules = Rules(**params.report.model_dump())
    sources = {name: cohort.source for name, cohort in params.cohorts.items()}
    context = Context(params.profile, sources, params.restricted)
    write_report(Path("reports"), read_results(Path("data")), published.load("data/published"), context, rules)


if __name__ == "__main__":
    run(main)
