"""The images of one run: rows of the assignment table and the hash that stands for them."""

import hashlib

import pandas as pd

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.tables import PARTS


def select(assignment: pd.DataFrame, cohort: str, protocol: str) -> pd.DataFrame:
    """The rows of ``cohort`` that ``protocol`` uses: source, image_id, path, sha256, patient_id, part, target.

    Sorted by source and image_id, so that a run does not depend on the order of a table. Raises CxrbenchError where
    a part that training needs is empty.
    """
    rows = assignment[(assignment["cohort"] == cohort) & (assignment[protocol] != "")]
    rows = rows.rename(columns={protocol: "part"}).sort_values(["source", "image_id"], ignore_index=True)
    for part in PARTS:
        if not (rows["part"] == part).any():
            raise CxrbenchError(
                f"cohort '{cohort}' under protocol '{protocol}' has no {part} images in data/split/assignment.csv;"
                " mend split.quotas or the cohort"
            )
    return rows[["source", "image_id", "path", "sha256", "patient_id", "part", "target"]]


def data_sha256(rows: pd.DataFrame) -> str:
    """The hash of what a run sees: which image bytes, in which part, with which target, of which patient."""
    text = rows[["source", "image_id", "sha256", "patient_id", "part", "target"]].to_csv(
        index=False, lineterminator="\n"
    )
    return hashlib.sha256(text.encode()).hexdigest()
