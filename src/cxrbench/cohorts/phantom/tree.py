"""Writes a cohort of phantoms as a folder tree in MIMIC-CXR-JPG 2.0.0's own layout.

Each patient has a generator of its own, derived from the seed and the patient's number, and is drawn whole by one
process: the bytes depend on neither the number of workers nor their order. The checksums are written last.
"""

import functools
import hashlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from cxrbench.base.errors import CxrbenchError
from cxrbench.cohorts.phantom.chest import random_person
from cxrbench.cohorts.phantom.patient import Study, random_study, render
from cxrbench.cohorts.phantom.plan import KINDS, PatientPlan, StudyPlan, make_plan
from cxrbench.cohorts.phantom.tables import Image, write_checksums, write_covid_table, write_mimic_tables
from cxrbench.images.parallel import Lost, map_each

_JPEG_QUALITY = 92
_BLANK_VIEWS = 0.08  # share of images whose ViewPosition the source leaves open


def write_tree(
    root: Path,
    kind: str,
    scale: float,
    size: int,
    seed: int,
    workers: int = 2,
    advance: Callable[[int, str], None] | None = None,
) -> None:
    """Writes images of ``size`` x ``size`` pixels and the tables of a cohort below ``root``.

    ``kind`` is pneumonia or covid, ``scale`` the share of the full number of images, ``workers`` the number of
    processes; ``advance(images, detail)`` is called as images are finished.
    """
    plan = make_plan(kind, scale, seed)
    draw = functools.partial(_draw_patient, root=root, kind=kind, size=size, seed=seed)
    images: list[Image] = []
    for done in map_each(draw, plan, workers if workers > 1 else 0):
        if isinstance(done, Lost):
            raise CxrbenchError(
                f"a process that draws phantoms was ended ({done.reason}: {done.detail.split(';')[0]}), {workers} ran"
                " side by side; lower workers and run again"
            )
        images += done
        if advance:
            advance(len(done), "")
    images.sort(key=lambda image: (image.subject_id, image.study_id, image.path))
    root.mkdir(parents=True, exist_ok=True)
    (write_mimic_tables if kind == "pneumonia" else write_covid_table)(root, images)
    write_checksums(root, images)


def _draw_patient(patient: PatientPlan, root: Path, kind: str, size: int, seed: int) -> list[Image]:
    entropy = np.random.SeedSequence([seed, KINDS.index(kind), patient.number + 1])
    rng = np.random.Generator(np.random.Philox(entropy))
    person = random_person(rng)
    # 10^7 subject numbers, of which a step without common factor visits each once: p10 to p19 fill alike
    subject = str(10_000_000 + patient.number * 7_919_111 % 10_000_000)
    images: list[Image] = []
    shown: list[tuple[Study, str]] = []
    for position, plan in enumerate(patient.studies):
        study_id = str(50_000_000 + patient.number * 8 + position)
        study = random_study(person, plan.label, rng)
        folder = Path("files", f"p{subject[:2]}", f"p{subject}", f"s{study_id}")
        (root / folder).mkdir(parents=True, exist_ok=True)
        findings, date = _findings(plan, study, rng), _date(rng)
        for projection in plan.projections:
            dicom_id = "-".join(f"{word:08x}" for word in rng.integers(0, 2**32, 5))
            view = _view_position(projection, rng)
            ids = (dicom_id, subject, study_id, (folder / f"{dicom_id}.jpg").as_posix())
            images.append(Image(*ids, patient.part, plan.label, view, str(size), date, findings))
            shown.append((study, projection))
    written = []
    for image, pixels in zip(images, render(person, shown, size, rng)):
        file = BytesIO()
        Pillow.fromarray(pixels).save(file, "JPEG", quality=_JPEG_QUALITY)
        (root / image.path).write_bytes(file.getvalue())
        written.append(image._replace(sha256=hashlib.sha256(file.getbuffer()).hexdigest()))
    return written


def _view_position(projection: str, rng: np.random.Generator) -> str:
    """As the source writes it; two words for lateral, and on some images of either kind nothing."""
    lateral = "LL" if rng.random() < 0.4 else "LATERAL"
    if rng.random() < _BLANK_VIEWS:
        return ""
    return lateral if projection == "LATERAL" else projection


def _findings(plan: StudyPlan, study: Study, rng: np.random.Generator) -> tuple[tuple[str, str], ...]:
    """CheXpert's labels of a study: 1.0 present, -1.0 uncertain, absent: not mentioned."""
    opacity, consolidation, uncertain = rng.random(3) < [0.6, 0.5, 0.5]
    found = {}
    if plan.label == "normal":
        found["No Finding"] = "1.0"
    elif plan.label == "pneumonia":
        found["Pneumonia"] = "1.0"
        if opacity:
            found["Lung Opacity"] = "1.0"
        if consolidation and study.pattern == "lobar":
            found["Consolidation"] = "1.0"
    elif uncertain:
        found["Pneumonia"] = "-1.0"
    if study.devices and (plan.label or uncertain):
        found["Support Devices"] = "1.0"
    return tuple(found.items())


def _date(rng: np.random.Generator) -> str:
    """A day in the shifted years that de-identification leaves, YYYYMMDD."""
    return f"{rng.integers(2110, 2200)}{rng.integers(1, 13):02d}{rng.integers(1, 29):02d}"
