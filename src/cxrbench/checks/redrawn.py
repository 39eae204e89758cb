"""What is expected of the splits that are drawn anew for each seed: what is expected of the fixed split, seed by seed.

Where none was drawn the tables have no rows, and nothing but their values is checked.
"""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from cxrbench.base.assignment import IMAGE
from cxrbench.base.tables import PARTS, PROTOCOLS
from cxrbench.checks import expect
from cxrbench.checks.parts import PAIRS, PICTURES, SHARED, Used, part_counts, sharing
from cxrbench.config.quotas import Quotas


def labelled(redrawn: pd.DataFrame, assignment: pd.DataFrame) -> pd.DataFrame:
    """The table 'redrawn' with the label that the assignment gives each image; '' where it has no such image."""
    table = redrawn.merge(assignment[[*IMAGE, "label"]], on=IMAGE, how="left", validate="m:1")
    return table.assign(label=table["label"].fillna("").astype("str"))


def splits(quotas: dict[str, Quotas], used: Used, official_shortfall: float, seeds: Sequence[int]) -> list[Any]:
    """Of ``labelled``; the first three arguments are as in ``parts.assignment``, without the view network's images."""
    checks = [
        expect.unique([*IMAGE, "seed"], "no split holds an image twice"),
        expect.in_set("cohort", list(quotas), "every image belongs to a cohort that has quotas"),
        expect.filled("label", "every image is one of the assignment"),
    ]
    for protocol in PROTOCOLS:
        checks.append(
            expect.in_set(protocol, [*PARTS, ""], f"{protocol}: every part is train, validation, test or empty")
        )
    for seed in seeds:
        for cohort, protocols in used.items():
            for protocol in protocols:
                shortfall = official_shortfall if protocol == "official" else 0.0
                checks += part_counts(cohort, protocol, quotas[cohort], shortfall, seed)
    return checks


def leaks(used: Used, patients: str, seeds: Sequence[int]) -> list[Any]:
    """``used`` and ``patients`` are as in ``parts.leaks``."""
    checks = [
        expect.unique(["seed", "cohort", "protocol", "kind", "a", "b"], "nothing was searched twice"),
        expect.in_set("kind", SHARED, f"what was searched for is one of: {'; '.join(SHARED)}"),
        expect.between("groups", 0, None, "no number of groups is below 0"),
        expect.pairs("a", "b", PAIRS, "the two sides are two parts in their order"),
    ]
    rows = len(PAIRS) * len(seeds)
    for cohort, protocols in used.items() if seeds else ():
        for protocol in protocols:
            for kind, what in SHARED.items():
                where = {"cohort": cohort, "protocol": protocol, "kind": kind}
                title = f"{sharing(cohort, protocol)}, redrawn splits"
                checks.append(expect.count(rows, rows, f"{title}: all pairs of parts were searched for {what}", where))
                promised = protocol == "patient" and kind in (f"patient, {patients}", *PICTURES)
                words, severity = f"{title}: no two parts share {what}", "critical" if promised else "warning"
                checks.append(expect.in_set("groups", [0], words, where, severity))
    return checks
