"""Which images of known view train the view network, which choose its epoch, which test it.

After Choe and Jo (2020): 451 frontal and 409 lateral images drawn at random to train, 113 and 61 to
validate; every other image of known view tests.
"""

import numpy as np
import pandas as pd

from cxrbench.errors import CxrbenchError
from cxrbench.manifest import PROTOCOLS, TABLES

TARGET = {"lateral": 0, "frontal": 1}


def assign(images: pd.DataFrame, quotas: dict[str, dict[str, int]], seed: int, cohort: str) -> pd.DataFrame:
    """An assignment table of cohort 'views' from the manifest rows of one cohort.

    ``quotas`` says part -> view -> images. Images without a known view are left out. Raises CxrbenchError
    where there are too few of a view to fill the quotas and leave one to test.
    """
    parts = []
    for view in TARGET:
        rows = images[images["view"] == view].sort_values("image_id", ignore_index=True)
        wanted = {part: quotas[part][view] for part in quotas}
        if len(rows) <= sum(wanted.values()):
            needed = " + ".join(f"{count} to {part}" for part, count in wanted.items())
            raise CxrbenchError(
                f"cohort '{cohort}' has {len(rows)} images whose metadata say {view}, but views.quotas wants {needed}"
                " and at least 1 is left to test; lower views.quotas or name another cohort in views.cohort"
            )
        order = np.random.default_rng([seed, TARGET[view]]).permutation(len(rows))
        part = np.full(len(rows), "test", dtype=object)
        start = 0
        for name, count in wanted.items():
            part[order[start : start + count]] = name
            start += count
        parts.append(rows.assign(label=view, target=TARGET[view], **dict.fromkeys(PROTOCOLS, part)))
    return pd.concat(parts, ignore_index=True).assign(cohort="views")[list(TABLES["assignment"])]
