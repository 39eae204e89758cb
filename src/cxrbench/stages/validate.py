"""validate: hold every table so far against what is expected of it; a critical failure stops the pipeline here."""

from pathlib import Path

from cxrbench.base.entry import run
from cxrbench.base.tables import read_table
from cxrbench.checks import verdict
from cxrbench.checks.data import check_data
from cxrbench.config import params as parameters
from cxrbench.config.quotas import total

OUT = Path("data/validate")
TABLES = {
    "manifest": "data/download/manifest.csv",
    "rejects": "data/download/rejects.csv",
    "frontal": "data/view-filter/manifest.csv",
    "review": "data/view-filter/review.csv",
    "assignment": "data/split/assignment.csv",
    "duplicates": "data/split/duplicates.csv",
    "leaks": "data/split/leaks.csv",
    "shortcuts": "data/split/shortcuts.csv",
    "redrawn": "data/split/redrawn.csv",
    "redrawn_leaks": "data/split/redrawn_leaks.csv",
}


def main() -> None:
    params = parameters.load()
    split = params.split
    tables = {table: read_table(path, table) for table, path in TABLES.items()}
    labels = {name: (cohort.negative, cohort.positive) for name, cohort in params.cohorts.items()}
    quotas = params.quotas_filled(tables["assignment"])
    quotas["views"] = total(params.views.counts(tables["assignment"]).values())
    outcomes = check_data(tables, labels, quotas, split.official_shortfall, split.patients, OUT / "docs")
    verdict.conclude(outcomes, OUT)


if __name__ == "__main__":
    run(main)
