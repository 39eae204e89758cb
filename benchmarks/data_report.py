"""Overlaps, duplicates and shortcuts of real cohorts under all protocols, as Markdown.

    nice python benchmarks/data_report.py [SOURCE=]ROOT ... [--reading loose]

SOURCE is kaggle where none is given, or any other of params.yaml; quotas are those of params.yaml's cohort pneumonia.
Where a cohort cannot fill them, that is said and its duplicates alone are listed. Decodes into a folder that it removes
again; nothing is written beside. About a minute for the 5,856 images at 224 px on two cores.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

import pandas as pd

from cxrbench.base.errors import CxrbenchError
from cxrbench.cohorts.ingest import ingest
from cxrbench.cohorts.sources import find
from cxrbench.config import params
from cxrbench.reporting import data
from cxrbench.reporting.text_tables import markdown
from cxrbench.splits.leaks import find_leaks, with_keys
from cxrbench.splits.near_duplicates import find_duplicates
from cxrbench.splits.shortcuts import shortcut_table
from cxrbench.stages.split import assigned, squares_of

ROOT = Path(__file__).parents[1]
COHORT = "pneumonia"  # of params.yaml, whose labels and quotas these are


def report(source: str, root: Path, reading: str) -> None:
    started = time.perf_counter()
    settings = params.load(ROOT / "params.yaml")
    settings = settings.model_copy(update={"split": settings.split.model_copy(update={"patients": reading})})
    images, rejects = ingest(COHORT, find(source, root).images, settings.workers)
    decoded = time.perf_counter()
    duplicates = find_duplicates(images, squares_of(images, settings.workers), COHORT, settings.workers)
    searched = time.perf_counter()
    print(
        f"\n# {source}: {len(images):,} images, {len(rejects):,} rejects, {images['patient_id'].nunique():,} patients"
    )
    print(f"(strict; {images['patient_id_loose'].nunique():,} loose). Ingest {decoded - started:.0f} s, duplicates")
    print(f"{searched - decoded:.0f} s; the patient protocol keeps whole what the {reading} reading calls a patient.")
    print(f"\n{markdown(data.duplicates(duplicates))}")
    of_two_patients(images, duplicates)
    frontal = images[images["view"] == "frontal"]
    try:
        assignment = assigned(settings, COHORT, frontal, images, duplicates)
    except CxrbenchError as error:
        print(f"\nNo split: {error}.")
        return
    shared = find_leaks(with_keys(assignment, images, duplicates))
    for table in (
        data.image_counts(assignment),
        data.leaks_between_parts(shared),
        data.leaks_between_labels(shared),
        data.shortcuts(shortcut_table(assignment, frontal)),
    ):
        print(f"\n{markdown(table)}")


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
        os.environ["CXRBENCH_STORE"] = f"{folder}/runs"  # the cache of arrays lies beside it
        for place in given.roots:
            source, _, root = place.rpartition("=")
            report(source or "kaggle", Path(root).resolve(), given.reading)


if __name__ == "__main__":
    main()
