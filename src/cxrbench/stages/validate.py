"""validate: hold every table so far against what is expected of it; a critical failure stops the pipeline here."""

from pathlib import Path

from cxrbench import params as parameters
from cxrbench.checks import verdict
from cxrbench.checks.outcome import failures
from cxrbench.checks.run import run_checks
from cxrbench.manifest import read_table, write_text
from cxrbench.splits import protocols
from cxrbench.stages.entry import run

OUT = Path("data/validate")
TABLES = {
    "manifest": "data/download/manifest.csv",
    "rejects": "data/download/rejects.csv",
    "frontal": "data/view-filter/manifest.csv",
    "review": "data/view-filter/review.csv",
    "assignment": "data/split/assignment.csv",
    "leaks": "data/split/leaks.csv",
}


def main() -> None:
    params = parameters.load()
    tables = {table: read_table(path, table) for table, path in TABLES.items()}
    labels = {name: (cohort.negative, cohort.positive) for name, cohort in params.cohorts.items()}
    quotas = {name: protocols.scaled(quotas, params.split.scale) for name, quotas in params.split.quotas.items()}
    quotas["views"] = params.views.quotas
    outcomes = run_checks(tables, labels, quotas, params.split.official_shortfall, OUT / "docs")
    write_text(OUT / "verdict.json", verdict.to_json(outcomes))

    critical, warnings = failures(outcomes, "critical"), failures(outcomes, "warning")
    for outcome in critical + warnings:
        print(f"{outcome.severity}: {outcome}")
    print(
        f"{len(outcomes)} checks of {len(tables)} tables: {len(critical)} critical failures,"
        f" {len(warnings)} warnings; see {OUT / 'docs' / 'index.html'}"
    )
    verdict.stop_if_critical(outcomes, str(OUT / "docs" / "index.html"))


if __name__ == "__main__":
    run(main)
