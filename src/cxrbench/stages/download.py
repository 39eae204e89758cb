"""Stage download: makes, fetches or reads each cohort, decodes every file once, lists what can be used and what not."""

import shutil
from pathlib import Path

import pandas as pd
from filelock import FileLock

from cxrbench.base.entry import run
from cxrbench.base.progress import progress
from cxrbench.base.tables import write_table
from cxrbench.base.workspace import fetched_dir, resolve
from cxrbench.cohorts.ingest import ingest
from cxrbench.cohorts.listing import Listing
from cxrbench.cohorts.phantom.plan import image_count
from cxrbench.cohorts.phantom.tree import write_tree
from cxrbench.cohorts.sources import fetched, find, opened
from cxrbench.cohorts.summary import refuse_no_image, summary, warnings
from cxrbench.config import params

FOLDER = Path("data/download")
# A phantom is a folder laid out like the real thing and read by the real thing's reader.
PHANTOM_READERS = {"pneumonia": ("mimic_cxr", None), "covid": ("directory", "covid345.csv")}


def main() -> None:
    settings = params.load()
    images, rejects = [], []
    for name, cohort in settings.cohorts.items():
        if cohort.source == "phantom":
            listing = _made(FOLDER / name, cohort, settings.workers)
        else:
            listing = find(
                cohort.source,
                _located(cohort),
                cohort.table,
                cohort.view,
                per_label=cohort.per_label,
                seed=cohort.seed,
            )
        with progress(f"decode {name}", len(listing.images)) as advance:
            usable, unusable = ingest(name, listing.images, settings.workers, advance)
        if usable.empty:
            refuse_no_image(name, unusable, listing)
        print(summary(name, usable, unusable, listing))
        for sentence in warnings(name, usable, listing, cohort.positive, cohort.negative):
            print(sentence)
        images.append(usable)
        rejects.append(unusable)
    write_table(FOLDER / "rejects.csv", pd.concat(rejects), "rejects")
    write_table(FOLDER / "manifest.csv", pd.concat(images), "manifest")


def _located(cohort: params.Cohort) -> Path:
    """The folder of a cohort's files: where they are, or where they are fetched or unpacked to.

    That is outside the stage's outputs: DVC empties those before a run, and copies them into its cache and remotes.
    """
    store = fetched_dir()
    store.mkdir(parents=True, exist_ok=True)
    with FileLock(store / "lock"):  # two experiments side by side would write one file
        if cohort.fetch:
            return fetched(cohort.fetch, store, per_label=cohort.per_label, seed=cohort.seed, size_px=cohort.size)
        return opened(cohort.source, resolve(cohort.root or ""), store, cohort.size)


def _made(root: Path, cohort: params.Cohort, workers: int) -> Listing:
    """Writes a phantom cohort anew and reads it; never over old files, which may be links into DVC's cache."""
    shutil.rmtree(root, ignore_errors=True)
    kind = str(cohort.kind)
    with progress(f"make {root.name}", image_count(kind, cohort.scale, cohort.seed)) as advance:
        write_tree(root, kind, cohort.scale, cohort.size, cohort.seed, workers, advance)
    source, table = PHANTOM_READERS[kind]
    return find(source, root, table, cohort.view)


if __name__ == "__main__":
    run(main)
