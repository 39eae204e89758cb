"""Stage download: makes, fetches or reads each cohort, decodes every file once, lists what can be used and what not."""

from pathlib import Path

from cxrbench.base.entry import run
from cxrbench.base.machine import processes

FOLDER = Path("data/download")


def main() -> None:
    # Each process that draws or decodes imports this module anew, so what it does not need is imported here.
    from cxrbench.base.tables import write_table
    from cxrbench.cohorts.collect import collect
    from cxrbench.config import params

    settings = params.load()
    manifest, rejects = collect(settings.cohorts, processes(settings.workers))
    write_table(FOLDER / "rejects.csv", rejects, "rejects")
    write_table(FOLDER / "manifest.csv", manifest, "manifest")


if __name__ == "__main__":
    run(main)
