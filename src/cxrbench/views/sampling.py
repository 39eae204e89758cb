"""Which images of known view train the view network, which choose its epoch, which test it.

After Choe and Jo (2020): 451 frontal and 409 lateral images drawn to train, 113 and 61 to validate; every other
image of known view tests. They drew by image and name no patients: that is protocol 'paper'. Under 'patient' the
counts are the same and no patient stands in two parts. Several cohorts may teach, each with its own quotas.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.tables import PARTS, TABLES
from cxrbench.config.quotas import AUTO, Quotas, counted
from cxrbench.splits.patients import choose, patient_groups

TARGET = {"lateral": 0, "frontal": 1}


def assign(images: pd.DataFrame, quotas: Mapping[str, Quotas | str], seed: int) -> pd.DataFrame:
    """An assignment table of cohort 'views' from manifest rows.

    ``quotas`` says cohort -> part -> view -> images, or cohort -> 'auto': of each view about a tenth to validate, a
    tenth to test and the rest to train, by whole patients, and as many under protocol 'paper'. Images of other cohorts
    or without a known view are left out. A source's own split says nothing of views: column 'official' is empty.
    Column source names the cohort, inside which names of patients and images hold. Raises CxrbenchError where a
    cohort has too few of a view to fill its quotas and leave one to test, or no choice of whole patients fills them.
    """
    tables = []
    for cohort, wanted in quotas.items():
        rows = images[(images["cohort"] == cohort) & images["view"].isin(list(TARGET))]
        rows = rows.sort_values("image_id", ignore_index=True)
        if isinstance(wanted, str):
            patient = _automatic(rows, seed, cohort)
            paper = _by_image(rows, counted(patient, rows["view"], PARTS[:2], TARGET), seed, cohort)
        else:
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


def _automatic(rows: pd.DataFrame, seed: int, cohort: str) -> np.ndarray:
    """The part of each image, str [n], by whole patients drawn at random; raises CxrbenchError where they are too few.

    A patient joins the test, or else the validation images while no view of these goes beyond a tenth of all. A view
    that no such patient has comes from the patient of the fewest images.
    """
    groups = patient_groups(rows)
    held = np.stack([np.bincount(groups, rows["view"] == view) for view in TARGET], axis=1)  # images: patients x views
    order = np.random.default_rng(seed).permutation(len(held))
    most = np.maximum(held.sum(axis=0) // 10, 1)
    part = np.full(len(held), PARTS[0], dtype=object)
    for name in PARTS[:0:-1]:
        has = np.zeros(len(TARGET))
        for patient in order:
            if part[patient] == PARTS[0] and (has + held[patient] <= most).all():
                part[patient], has = name, has + held[patient]
        for view in np.flatnonzero(has == 0):
            free = [patient for patient in order if part[patient] == PARTS[0] and held[patient, view]]
            if free and not has[view]:
                patient = min(free, key=lambda one: held[one].sum())
                part[patient], has = name, has + held[patient]
    if not all((held[part == name].sum(axis=0) > 0).all() for name in PARTS):
        raise CxrbenchError(
            f"cohort '{cohort}' has {_counts(rows['view'].value_counts().items())} images, too few patients of a view"
            f" for views.quotas.{cohort}: {AUTO}, which needs each view of 3 patients at least: one to train, one to"
            " validate, one to test; let another cohort teach"
        )
    return part[groups]


def _counts(counts: Iterable[tuple[str, int]]) -> str:
    return " + ".join(f"{count} {view}" for view, count in counts)
