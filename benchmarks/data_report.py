"""Overlaps, duplicates and shortcuts of real cohorts under all protocols, as Markdown.

    nice python benchmarks/data_report.py [SOURCE=]ROOT ... [--reading loose]

SOURCE is kaggle where none is given, or any other of params.yaml; quotas are those of params.yaml's cohort pneumonia.
Where a cohort cannot fill them, that is said and its duplicates alone are listed. Decodes into a folder that it removes
again; nothing is written beside. About a minute for the 5,856 images at 224 px on two cores.
"""

import argparse
import tempfile
import time
from pathlib import Path

import pandas as pd

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.machine import processes
from cxrbench.base.tables import empty
from cxrbench.cohorts.ingest import ingest
from cxrbench.cohorts.reader import find
from cxrbench.config import params
from cxrbench.config.quotas import scaled
from cxrbench.reporting import data
from cxrbench.reporting.text_tables import markdown
from cxrbench.splits.division import divide, squares_of
from cxrbench.splits.near_duplicates import find_duplicates

ROOT = Path(__file__).parents[1]
COHORT = "pneumonia"  # of params.yaml, whose labels and quotas these are


def report(source: str, root: Path, reading: str, cache: Path) -> None:
    started = time.perf_counter()
    settings = params.load(ROOT / "params.yaml")
    split, workers = settings.split, processes(settings.workers)
    quotas = {COHORT: scaled(split.quotas[COHORT], split.scale)}
    images, rejects = ingest(COHORT, find(source, root).images, workers)
    decoded = time.perf_counter()
    frontal, no_views = images[images["view"] == "frontal"], empty("assignment")
    tables = []
    try:
        shortfall, seed = split.official_shortfall, split.seed
        division = divide(images, frontal, no_views, quotas, reading, shortfall, seed, cache, workers)
        duplicates, ending = division.duplicates, ""
        tables += [
            data.image_counts(division.assignment),
            data.leaks_between_parts(division.leaks),
            data.leaks_between_labels(division.leaks),
            data.shortcuts(division.shortcuts),
        ]
    except CxrbenchError as error:
        duplicates = find_duplicates(images, squares_of(images, cache, workers), COHORT, workers)
        ending = f"\nNo split: {error}."
    divided = time.perf_counter()
    print(
        f"\n# {source}: {len(images):,} images, {len(rejects):,} rejects, {images['patient_id'].nunique():,} patients"
    )
    print(f"(strict; {images['patient_id_loose'].nunique():,} loose). Ingest {decoded - started:.0f} s, division")
    print(f"{divided - decoded:.0f} s; the patient protocol keeps whole what the {reading} reading calls a patient.")
    print(f"\n{markdown(data.duplicates(duplicates))}")
    of_two_patients(images, duplicates)
    for table in tables:
        print(f"\n{markdown(table)}")
    print(ending)


def of_two_patients(images: pd.DataFrame, duplicates: pd.DataFrame) -> None:
    patient = images.set_index("image_id")["patient_id"]
    one, other = (duplicates[name].map(patient) for name in ("image_a", "image_b"))
    counts = duplicates[one != other]["kind"].value_counts()
    told = ", ".join(f"{count} {kind}" for kind, count in counts.items()) or "none"
    print(f"\nPairs of two patients (strict reading): {told}.")
    for pair in duplicates[duplicates["kind"] == "near-duplicate"].head(12).itertuples():
        mirrored = ", mirrored" if pair.mirrored else ""
        print(f"- {pair.image_a} = {pair.image_b}: {pair.distance} bits, correlation {pair.correlation:.3f}{mirrored}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("roots", nargs="+", metavar="[SOURCE=]ROOT")
    parser.add_argument("--reading", choices=params.READINGS, default="strict")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for place in given.roots:
            source, _, root = place.rpartition("=")
            report(source or "kaggle", Path(root).resolve(), given.reading, Path(folder))


if __name__ == "__main__":
    main()
