"""Which images of known view train the view network, which choose its epoch, which test it.

After Choe and Jo (2020): 451 frontal and 409 lateral images drawn to train, 113 and 61 to validate; every other
image of known view tests. They drew by image and name no patients: that is protocol 'paper'. Under 'patient' the
counts are the same and no patient stands in two parts. Several cohorts may teach, each with its own quotas.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.tables import TABLES
from cxrbench.config.quotas import Quotas
from cxrbench.splits.patients import choose, patient_groups

TARGET = {"lateral": 0, "frontal": 1}


def assign(images: pd.DataFrame, quotas: dict[str, Quotas], seed: int) -> pd.DataFrame:
    """An assignment table of cohort 'views' from manifest rows.

    ``quotas`` says cohort -> part -> view -> images. Images of other cohorts or without a known view are left out.
    A source's own split says nothing of views: column 'official' is empty. Column source names the cohort, inside
    which names of patients and images hold. Raises CxrbenchError where a cohort has too few of a view
    to fill its quotas and leave one to test, or no choice of whole patients fills them exactly.
    """
    tables = []
    for cohort, wanted in quotas.items():
        rows = images[(images["cohort"] == cohort) & images["view"].isin(list(TARGET))]
        rows = rows.sort_values("image_id", ignore_index=True)
        paper, patient = _by_image(rows, wanted, seed, cohort), _by_patient(rows, wanted, seed, cohort)
        tables.append(rows.assign(source=cohort, paper=paper, patient=patient, official=""))
    table = pd.concat(tables, ignore_index=True)
    return table.assign(cohort="views", label=table["view"], target=table["view"].map(TARGET))[
        list(TABLES["assignment"])
    ]


def _by_image(rows: pd.DataFrame, quotas: Quotas, seed: int, cohort: str) -> np.ndarray:
    part = np.full(len(rows), "test", dtype=object)
    for view, target in TARGET.items():
        places = np.flatnonzero(rows["view"] == view)
        wanted = {name: counts[view] for name, counts in quotas.items()}
        if len(places) <= sum(wanted.values()):
            needed = " + ".join(f"{count} to {name}" for name, count in wanted.items())
            raise CxrbenchError(
                f"cohort '{cohort}' has {len(places)} images whose metadata say {view}, but views.quotas.{cohort} wants"
                f" {needed} and at least 1 is left to test; lower these quotas or let another cohort teach"
            )
        drawn = np.random.default_rng([seed, target]).permutation(places)[: sum(wanted.values())]
        part[drawn] = np.repeat(list(wanted), list(wanted.values()))
    return part


def _by_patient(rows: pd.DataFrame, quotas: Quotas, seed: int, cohort: str) -> np.ndarray:
    part = choose(patient_groups(rows), rows["view"].to_numpy(), quotas, np.random.default_rng(seed))
    if part is None:
        raise CxrbenchError(
            f"cohort '{cohort}': no choice of whole patients gives exactly the images that views.quotas.{cohort} wants"
            f" ({'; '.join(f'{name} {_counts(counts.items())}' for name, counts in quotas.items())}) from"
            f" {_counts(rows['view'].value_counts().items())}; change these quotas a little"
        )
    part[part == ""] = "test"
    return part


def _counts(counts: Iterable[tuple[str, int]]) -> str:
    return " + ".join(f"{count} {view}" for view, count in counts)
