"""Stage download: makes or reads each cohort, decodes every file once, lists what can and what cannot be used."""

import shutil
from pathlib import Path

import pandas as pd

from cxrbench import manifest, params
from cxrbench.cohorts.found import Found
from cxrbench.cohorts.ingest import ingest
from cxrbench.cohorts.phantom.plan import image_count
from cxrbench.cohorts.phantom.tree import write_tree
from cxrbench.cohorts.sources import find
from cxrbench.errors import CxrbenchError
from cxrbench.progress import progress
from cxrbench.stages.entry import run
from cxrbench.workspace import resolve_root

FOLDER = Path("data/download")
# A phantom is a folder laid out like the real thing and read by the real thing's reader.
PHANTOM_READERS = {"pneumonia": ("mimic_cxr", None), "covid": ("directory", "covid345.csv")}


def main() -> None:
    settings = params.load()
    images, rejects = [], []
    for name, cohort in settings.cohorts.items():
        if cohort.source == "phantom":
            founds = _made(FOLDER / name, cohort, settings.workers)
        else:
            founds = find(cohort.source, resolve_root(cohort.root or ""), cohort.table, cohort.view)
        with progress(f"decode {name}", len(founds)) as advance:
            usable, unusable = ingest(name, founds, settings.workers, advance)
        print(summary(name, usable, unusable))
        if usable.empty:
            first = unusable.iloc[0]
            raise CxrbenchError(
                f"cohort '{name}' has no usable image among {len(unusable)} files (the first, {first['path']}, is"
                f" {first['reason']}); correct its root"
            )
        images.append(usable)
        rejects.append(unusable)
    manifest.write_table(FOLDER / "rejects.csv", pd.concat(rejects), "rejects")
    manifest.write_table(FOLDER / "manifest.csv", pd.concat(images), "manifest")


def summary(name: str, images: pd.DataFrame, rejects: pd.DataFrame) -> str:
    """One line: usable images, rejected files by reason."""
    reasons = rejects["reason"].value_counts().sort_index()
    told = "".join(f", {count:,} {reason}" for reason, count in reasons.items())
    return f"{name}: {len(images):,} images, {len(rejects):,} rejects{told}"


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
