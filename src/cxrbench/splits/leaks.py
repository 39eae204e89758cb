"""What two parts of one protocol share: patients, or files that are the same byte for byte."""

from itertools import combinations

import pandas as pd

from cxrbench.manifest import PARTS, PROTOCOLS, TABLES

KINDS = {"patient": "patient_id", "identical file": "sha256"}
EXAMPLES = 3


def find_leaks(assignment: pd.DataFrame) -> pd.DataFrame:
    """The 'leaks' table of an 'assignment' table: a row for every cohort, protocol, kind and pair of parts.

    A pair that shares nothing has a row of zero groups, so that 'none' differs from 'not looked at'.
    """
    rows = [
        (cohort, protocol, kind, part_a, part_b, *_shared(images, column, protocol, part_a, part_b))
        for cohort, images in assignment.groupby("cohort")
        for protocol in PROTOCOLS
        for kind, column in KINDS.items()
        for part_a, part_b in combinations(PARTS, 2)
    ]
    return pd.DataFrame(rows, columns=list(TABLES["leaks"]))


def _shared(images: pd.DataFrame, column: str, protocol: str, part_a: str, part_b: str) -> tuple[int, int, str]:
    """Keys found in both parts, how many images of ``part_b`` have one of them, and a few examples."""
    in_b = images[images[protocol] == part_b]
    found = in_b[in_b[column].isin(images.loc[images[protocol] == part_a, column])]
    shown = found[column] if column == "patient_id" else found["image_id"]  # a hash tells a reader nothing
    return found[column].nunique(), len(found), " ".join(sorted(set(shown))[:EXAMPLES])
