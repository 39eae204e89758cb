"""From the cohorts of params.yaml to the tables of their images: each is made, fetched or found, then decoded once."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from filelock import FileLock

from cxrbench.base import workspace
from cxrbench.base.progress import progress
from cxrbench.cohorts.ingest import ingest
from cxrbench.cohorts.listing import Listing
from cxrbench.cohorts.phantom.store import phantom_tree
from cxrbench.cohorts.reader import fetched, find, opened
from cxrbench.cohorts.summary import refuse_no_image, summary, warnings
from cxrbench.config.cohort import Cohort

# A phantom is a folder laid out like the real thing and read by the real thing's reader.
PHANTOM_READERS = {"pneumonia": ("mimic_cxr", None), "covid": ("directory", "covid345.csv")}


def collect(cohorts: Mapping[str, Cohort], workers: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables 'manifest' and 'rejects' of all cohorts; prints a line on each, and what the user should know.

    CxrbenchError where a cohort has no usable image.
    """
    images, rejects = [], []
    for name, cohort in cohorts.items():
        listing = _listing(cohort, workers)
        with progress(f"decode {name}", len(listing.images)) as advance:
            usable, unusable = (_from_workspace(table) for table in ingest(name, listing.images, workers, advance))
        if usable.empty:
            refuse_no_image(name, unusable, listing)
        print(summary(name, usable, unusable, listing))
        for sentence in warnings(name, usable, listing, cohort.positive, cohort.negative):
            print(sentence)
        images.append(usable)
        rejects.append(unusable)
    return pd.concat(images), pd.concat(rejects)


def _listing(cohort: Cohort, workers: int) -> Listing:
    if cohort.source == "phantom":
        kind = str(cohort.kind)
        root = phantom_tree(workspace.phantoms_dir(), kind, cohort.scale, cohort.size, cohort.seed, workers)
        source, table = PHANTOM_READERS[kind]
        return find(source, root, table, cohort.view)
    return find(
        cohort.source,
        _located(cohort),
        cohort.table,
        cohort.view,
        file_names=cohort.file_names,
        per_label=cohort.per_label,
        seed=cohort.seed,
        columns=cohort.columns,
        positive=cohort.positive,
        negative=cohort.negative,
        options=cohort.options,
    )


def _located(cohort: Cohort) -> Path:
    """The folder of a cohort's files: where they are, or where they are fetched or unpacked to.

    That is outside the stage's outputs: DVC empties those before a run, and copies them into its cache and remotes.
    """
    store = workspace.fetched_dir()
    store.mkdir(parents=True, exist_ok=True)
    with FileLock(store / "lock"):  # two experiments side by side would write one file
        if cohort.fetch:
            return fetched(cohort.fetch, store, per_label=cohort.per_label, seed=cohort.seed, size_px=cohort.size)
        return opened(cohort.source, workspace.resolve(cohort.root or ""), store, cohort.size)


def _from_workspace(table: pd.DataFrame) -> pd.DataFrame:
    """A phantom's paths as tables hold them, from the workspace on: the same on every machine."""
    below = str(workspace.phantoms_dir()).removesuffix(workspace.PHANTOMS)
    made = table["path"].str.startswith(f"{below}{workspace.PHANTOMS}/")
    return table.assign(path=table["path"].where(~made, table["path"].str.removeprefix(below)))
