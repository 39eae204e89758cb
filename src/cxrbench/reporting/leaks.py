"""What parts and labels share, and which images are one picture, as tables short enough to be read."""

from collections.abc import Sequence

import pandas as pd

from cxrbench.base.tables import PARTS
from cxrbench.reporting.data import Plain

PART_PAIRS = ((PARTS[0], PARTS[1]), (PARTS[0], PARTS[2]), (PARTS[1], PARTS[2]))
EXAMPLES = 3  # pairs of duplicates shown a row


def parts(found: pd.DataFrame) -> Plain:
    """Rows of 'leaks' across parts: a row a cohort, protocol and kind, a column a pair of parts."""
    across = found[found["across"] == "parts"]
    rows = []
    for (cohort, protocol, kind), group in across.groupby(["cohort", "protocol", "kind"], sort=False):
        shared = {frozenset((row.a, row.b)): (row.groups, row.images) for row in group.itertuples()}
        cells = [_counts(shared.get(frozenset(pair), (0, 0))) for pair in PART_PAIRS]
        if set(cells) != {"–"}:
            rows.append([str(cohort), str(protocol), str(kind), *cells])
    heads = ("Cohort", "Protocol", "What is shared", *(f"{a}–{b}" for a, b in PART_PAIRS))
    note = (
        "What two parts of one protocol share: groups / images of the second part that belong to them. A group is a"
        " patient, by the strict and by the loose reading of the source's keys, or images that are one picture:"
        " byte for byte, or as near-duplicates. A protocol and kind that is not listed shares nothing."
    )
    return Plain("Leaks between parts", note, heads, rows, 3)


def labels(found: pd.DataFrame) -> Plain:
    """Rows of 'leaks' across labels, where something is shared."""
    across = found[(found["across"] == "labels") & (found["groups"] > 0)]
    rows = [
        [row.cohort, f"{row.a} and {row.b}", row.kind, f"{row.groups:,}", f"{row.images:,}", _first(row.examples)]
        for row in across.itertuples()
    ]
    heads = ("Cohort", "Labels", "What is shared", "Groups", "Images", "For example")
    note = "Patients and pictures that stand under both labels: a patient may have been both, one picture can not."
    return Plain("Leaks between labels", note, heads, rows, 3, text_after=5)


def duplicates(found: pd.DataFrame) -> Plain:
    """The table 'duplicates', a row a cohort and kind."""
    rows = []
    for (cohort, kind), group in found.groupby(["cohort", "kind"], sort=False):
        images = len(set(group["image_a"]) | set(group["image_b"]))
        pairs = [f"{a} = {b}" for a, b in group[["image_a", "image_b"]].head(EXAMPLES).values.tolist()]
        counts = (len(group), images, int(group["mirrored"].sum()))
        rows.append([str(cohort), str(kind), *(f"{n:,}" for n in counts), "; ".join(pairs)])
    heads = ("Cohort", "Kind", "Pairs", "Images in them", "Mirrored pairs", "For example")
    note = "Images of one cohort that are one picture; data/split/duplicates.csv lists every pair with its distance."
    return Plain("Duplicates", note, heads, rows, 2, text_after=5)


def _counts(shared: tuple[int, int]) -> str:
    return f"{shared[0]:,} / {shared[1]:,}" if shared[0] else "–"


def _first(examples: str, most: int = EXAMPLES) -> str:
    names: Sequence[str] = examples.split()
    return " ".join(names[:most])
