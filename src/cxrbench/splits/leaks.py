"""What two parts of one protocol, or two labels, share: patients, identical files, near-duplicates.

A patient with two labels is an illness that came or went; one picture with two labels is a doubtful label.
"""

from itertools import combinations

import pandas as pd

from cxrbench.base.tables import PARTS, PROTOCOLS, TABLES
from cxrbench.splits.near_duplicates import picture_of

PATIENTS = {"patient, strict": "strict", "patient, loose": "loose"}  # kind -> column of what images are grouped by
PICTURES = {"identical file": "sha256", "near-duplicate": "picture"}
EXAMPLES = 3


def find_leaks(images: pd.DataFrame) -> pd.DataFrame:
    """The 'leaks' table of assigned images, as ``with_keys`` gives them: every cohort, protocol, kind and pair.

    A pair that shares nothing has a row of zero groups, so that 'none' differs from 'not looked at'.
    """
    rows = []
    for cohort, found in images.groupby("cohort"):
        for protocol in PROTOCOLS:
            for kind in (*PATIENTS, *PICTURES):
                for pair in combinations(PARTS, 2):
                    rows.append((cohort, protocol, "parts", *pair, kind, *_shared(found, kind, protocol, *pair)))
        labels = found.drop_duplicates("label").sort_values("target")["label"]
        for kind in PICTURES:
            for pair in combinations(labels, 2):
                rows.append((cohort, "", "labels", *pair, kind, *_shared(found, kind, "label", *pair)))
    return pd.DataFrame(rows, columns=list(TABLES["leaks"]))


def with_keys(assignment: pd.DataFrame, manifest: pd.DataFrame, duplicates: pd.DataFrame) -> pd.DataFrame:
    """The assignment with columns strict, loose (patients under both readings) and picture, by what each is grouped.

    ``manifest`` and ``duplicates`` cover every source of the assignment. Keys of images whose source is not their
    cohort bear its name, for two sources may use one name.
    """
    keys = []
    for source, images in manifest.groupby("cohort"):
        key = images[["image_id"]].assign(
            source=source, strict=images["patient_id"], loose=images["patient_id_loose"],
            picture=picture_of(images, duplicates[duplicates["cohort"] == source]),
        )  # fmt: skip
        keys.append(key)
    keyed = assignment.merge(pd.concat(keys), on=["source", "image_id"], how="left", validate="m:1")
    borrowed = keyed["source"] != keyed["cohort"]
    for column in ("strict", "loose", "picture"):
        keyed[column] = keyed[column].mask(borrowed, keyed["source"] + "/" + keyed[column])
    return keyed


def _shared(images: pd.DataFrame, kind: str, where: str, a: str, b: str) -> tuple[int, int, str]:
    """Groups found on both sides of column ``where``, how many images of side ``b`` are of them, and a few examples."""
    column = {**PATIENTS, **PICTURES}[kind]
    in_a, in_b = (images[images[where] == side] for side in (a, b))
    found = in_b[in_b[column].isin(in_a[column])]
    if kind == "near-duplicate":
        found = found[~found["sha256"].isin(in_a["sha256"])]
    shown = found[column] if kind in PATIENTS else found["image_id"]  # a hash tells a reader nothing
    return found[column].nunique(), len(found), " ".join(sorted(set(shown))[:EXAMPLES])
