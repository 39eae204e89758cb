"""Stage download: makes, fetches or reads each cohort, decodes every file once, lists what can be used and what not."""

import shutil
from pathlib import Path

import pandas as pd
from filelock import FileLock

from cxrbench.base.entry import run
from cxrbench.base.errors import CxrbenchError
from cxrbench.base.progress import progress
from cxrbench.base.tables import write_table
from cxrbench.base.workspace import fetched_dir, resolve
from cxrbench.cohorts.found import Found
from cxrbench.cohorts.ingest import ingest
from cxrbench.cohorts.phantom.plan import image_count
from cxrbench.cohorts.phantom.tree import write_tree
from cxrbench.cohorts.sources import fetched, find, opened
from cxrbench.config import params

FOLDER = Path("data/download")
# A phantom is a folder laid out like the real thing and read by the real thing's reader.
PHANTOM_READERS = {"pneumonia": ("mimic_cxr", None), "covid": ("directory", "covid345.csv")}


def main() -> None:
    settings = params.load()
    images, rejects = [], []
    for name, cohort in settings.cohorts.items():
        aside: dict[str, int] = {}
        if cohort.source == "phantom":
            founds = _made(FOLDER / name, cohort, settings.workers)
        else:
            founds = find(
                cohort.source,
                _located(cohort),
                cohort.table,
                cohort.view,
                per_label=cohort.per_label,
                seed=cohort.seed,
                tell=aside.__setitem__,
            )
        with progress(f"decode {name}", len(founds)) as advance:
            usable, unusable = ingest(name, founds, settings.workers, advance)
        print(summary(name, usable, unusable, aside))
        if usable.empty:
            first = unusable.iloc[0]
            raise CxrbenchError(
                f"cohort '{name}' has no usable image among {len(unusable)} files (the first, {first['path']}, is"
                f" {first['reason']}); correct its root"
            )
        images.append(usable)
        rejects.append(unusable)
    write_table(FOLDER / "rejects.csv", pd.concat(rejects), "rejects")
    write_table(FOLDER / "manifest.csv", pd.concat(images), "manifest")


def summary(name: str, images: pd.DataFrame, rejects: pd.DataFrame, aside: dict[str, int]) -> str:
    """One line: usable images, rejected files by reason, what the reader set aside."""
    reasons = rejects["reason"].value_counts().sort_index()
    told = "".join(f", {count:,} {reason}" for reason, count in reasons.items())
    left = ", ".join(f"{files:,} {what}" for what, files in aside.items() if files)
    return f"{name}: {len(images):,} images, {len(rejects):,} rejects{told}{f'; set aside: {left}' if left else ''}"


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


def _made(root: Path, cohort: params.Cohort, workers: int) -> list[Found]:
    """Writes a phantom cohort anew and reads it; never over old files, which may be links into DVC's cache."""
    shutil.rmtree(root, ignore_errors=True)
    kind = str(cohort.kind)
    with progress(f"make {root.name}", image_count(kind, cohort.scale, cohort.seed)) as advance:
        write_tree(root, kind, cohort.scale, cohort.size, cohort.seed, workers, advance)
    source, table = PHANTOM_READERS[kind]
    return find(source, root, table, cohort.view)


if __name__ == "__main__":
    run(main)
