"""Who is in a cohort: patients, their studies and views, by counts alone, before anything is drawn.

Numbers follow the published split (Kim & Ye 2021, Table 1: 790+2,140 / 593+1,833 / 200+300 frontal images) with a
little more of each, so that some images may drop out, and Lee's 149+110 / 46+40 images for COVID-19.
"""

import dataclasses
import math

import numpy as np

from cxrbench.base.errors import CxrbenchError

PNEUMONIA_FRONTALS = {
    "train": {"normal": 790, "pneumonia": 2140},
    "validate": {"normal": 593, "pneumonia": 1833},
    "test": {"normal": 200, "pneumonia": 300},
}
COVID_FRONTALS = {"train": {"covid": 149, "normal": 110}, "test": {"covid": 46, "normal": 40}}
_SLACK = 1.03  # more frontals than the published split asks for
_UNLABELLED = 0.025  # further studies, of every labelled one, that say neither normal nor pneumonia
KINDS = ("pneumonia", "covid")


@dataclasses.dataclass(frozen=True)
class StudyPlan:
    """One study: its label (normal, pneumonia, covid, or empty: neither) and the projection of each image."""

    label: str
    projections: tuple[str, ...]  # PA, AP, LATERAL


@dataclasses.dataclass(frozen=True)
class PatientPlan:
    """One patient: a number, the part of the source's own split, the studies."""

    number: int
    part: str
    studies: tuple[StudyPlan, ...]


def make_plan(kind: str, scale: float, seed: int) -> list[PatientPlan]:
    """Every patient of a cohort; the same arguments give the same plan."""
    if kind not in KINDS:
        raise CxrbenchError(f"kind is {kind!r}, a phantom is one of {', '.join(KINDS)}; set the cohort's kind to one")
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, KINDS.index(kind)])))
    patients: list[PatientPlan] = []
    for part, counts in (PNEUMONIA_FRONTALS if kind == "pneumonia" else COVID_FRONTALS).items():
        if kind == "pneumonia":
            left = {label: math.ceil(count * scale * _SLACK) for label, count in counts.items()}
        else:
            left = {label: max(1, round(count * scale)) for label, count in counts.items()}
        while any(left.values()):
            studies = _studies(left, kind, rng)
            patients.append(PatientPlan(len(patients), part, studies))
    return patients


def image_count(kind: str, scale: float, seed: int) -> int:
    """How many images ``write_tree`` writes for these arguments."""
    plan = make_plan(kind, scale, seed)
    return sum(len(study.projections) for patient in plan for study in patient.studies)


def _studies(left: dict[str, int], kind: str, rng: np.random.Generator) -> tuple[StudyPlan, ...]:
    """Draws one patient's studies and takes their frontals off ``left``; three patients in four have one study."""
    labels = [label for label in left if left[label]]
    label = str(rng.choice(labels, p=np.array([left[name] for name in labels]) / sum(left.values())))
    studies = []
    count = rng.choice([1, 2, 3], p=[0.76, 0.18, 0.06] if kind == "pneumonia" else [0.95, 0.05, 0.0])
    for position in range(count):
        if position and kind == "pneumonia" and rng.random() < 0.35:
            label = "pneumonia" if label == "normal" else "normal"
        frontals = min(2 if kind == "pneumonia" and rng.random() < 0.06 else 1, left[label])
        if frontals:
            left[label] -= frontals
            studies.append(StudyPlan(label, _projections(frontals, kind, rng)))
    if kind == "pneumonia" and rng.random() < _UNLABELLED:
        studies.append(StudyPlan("", _projections(1, kind, rng)))
    return tuple(studies)


def _projections(frontals: int, kind: str, rng: np.random.Generator) -> tuple[str, ...]:
    """AP or PA for a whole study; laterals so that they make about 40 % of a cohort that has them."""
    frontal = "AP" if rng.random() < 0.4 else "PA"
    laterals = rng.choice([0, 1, 2], p=[0.36, 0.57, 0.07]) if kind == "pneumonia" else 0
    return (frontal,) * frontals + ("LATERAL",) * laterals
