"""The images of a run as MLflow's data sets, one for each part: their hash and their counts, no image and no path."""

import dataclasses
import json
from collections.abc import Sequence

import pandas as pd

from cxrbench.base.tables import PARTS
from cxrbench.runs.fingerprint import data_sha256
from cxrbench.runs.plan import select

DIGEST_LETTERS = 8  # as many as MLflow's pages show beside the name; the profile holds the whole digest


@dataclasses.dataclass(frozen=True)
class DataSet:
    """One part of a cohort under a protocol."""

    name: str  # cohort/split/part
    part: str
    digest: str  # the start of the sha256 over the part's image bytes, targets and patients
    profile: str  # JSON: the number of images, of each label, the whole sha256


def data_sets(assignment: pd.DataFrame, cohort: str, split: str) -> tuple[DataSet, ...]:
    """The parts that a run on ``split`` of ``cohort`` sees, from the table 'assignment'; see ``plan.select``."""
    rows = select(assignment, cohort, split)
    labels = assignment[assignment["cohort"] == cohort].groupby(split)["label"]
    counts = {part: found.value_counts().sort_index() for part, found in labels}
    found = []
    for part in PARTS:
        images = rows[rows["part"] == part]
        if images.empty:
            continue
        sha256 = data_sha256(images)
        profile = {"num_rows": len(images), **{str(k): int(n) for k, n in counts[part].items()}, "sha256": sha256}
        found.append(DataSet(f"{cohort}/{split}/{part}", part, sha256[:DIGEST_LETTERS], json.dumps(profile)))
    return tuple(found)


def digest_of_validation(data: Sequence[DataSet]) -> str:
    """Names and digests of the validation images among ``data``: accuracies are compared where this is the same."""
    return ", ".join(sorted({f"{one.name} {one.digest}" for one in data if one.part == "validation"}))
