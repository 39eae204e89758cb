"""One patient's studies, rendered: anatomy once, findings and devices a study, posture and exposure an image."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from cxrbench.cohorts.phantom.bodies import Array, Body, rotation
from cxrbench.cohorts.phantom.chest import Person, make_chest
from cxrbench.cohorts.phantom.devices import marker, random_devices
from cxrbench.cohorts.phantom.findings import covid, pneumonia
from cxrbench.cohorts.phantom.projection import View, make_view
from cxrbench.cohorts.phantom.radiograph import Scene, develop, expose, line_integrals

_FRONTAL = np.array([[1.0, 0, 0], [0, 0, 1.0], [0, -1.0, 0]])
_QUANTA_PER_CM2 = 9e5  # sent; so small that noise is seen, as where the detector is old or the patient stout
_LATERAL = np.array([[0, -1.0, 0], [0, 0, 1.0], [-1.0, 0, 0]])


@dataclasses.dataclass(frozen=True)
class Study:
    """What all images of one study share."""

    dome_cm: float  # height of the right dome of the diaphragm: how far the patient breathed in
    pattern: str  # lobar, diffuse, or empty: no opacity
    blobs: list[tuple[Body, float]]
    devices: list[tuple[Body, float]]


def random_study(person: Person, label: str, rng: np.random.Generator) -> Study:
    """Draws a study; ``label`` (normal, pneumonia, covid) decides the opacities alone."""
    devices = random_devices(person, rng)
    dome_cm = float(np.clip(rng.normal(-9.2, 0.9), -12, -6)) * person.scale[2]
    pattern = ""
    blobs: list[tuple[Body, float]] = []
    if label == "pneumonia":
        pattern, blobs = pneumonia(person, dome_cm, rng)
    elif label == "covid":
        pattern, blobs = "diffuse", covid(person, dome_cm, rng)
    return Study(dome_cm, pattern, blobs, devices)


def render(person: Person, images: Sequence[tuple[Study, str]], size: int, rng: np.random.Generator) -> list[Array]:
    """The radiographs of a study and a projection (PA, AP or LATERAL) each: (size, size) uint8."""
    scenes = [_pose(person, study, projection, size, rng) for study, projection in images]
    return [_develop(integrals, scene.view, rng) for integrals, scene in zip(line_integrals(scenes), scenes)]


def _pose(person: Person, study: Study, projection: str, size: int, rng: np.random.Generator) -> Scene:
    frontal = projection != "LATERAL"
    chest = make_chest(
        person,
        study.dome_cm + rng.normal(0, 0.4),
        heart_scale=rng.normal(1.12, 0.02) if projection == "AP" else 1.0,
        arms_down=frontal,
    )
    view = _random_view(_FRONTAL if frontal else _LATERAL, size, person, rng)
    devices = study.devices
    if rng.random() < 0.6:
        letter = "LR"[int(rng.random() < 0.5)] if frontal else "L"
        left = rng.uniform(0.03, 0.08) if letter == "R" else rng.uniform(0.86, 0.92)
        devices = devices + marker(letter, view, left, rng.uniform(0.7, 0.92), rng.uniform(1.4, 2.2))
    return Scene(chest, view, study.blobs, devices)


def _develop(integrals: Array, view: View, rng: np.random.Generator) -> Array:
    size = len(integrals)
    quanta = _QUANTA_PER_CM2 * 10 ** rng.uniform(-0.6, 0.6) * view.pixel_cm**2
    exposed = expose(integrals, quanta, rng)
    # automatic exposure looks at the dense parts, which opacities in the lungs hardly change
    dense = np.percentile(exposed[size // 8 : -size // 8 : 2, size // 8 : -size // 8 : 2], 75)
    image = develop(exposed, dense - rng.normal(1.2, 0.1), rng.uniform(0.85, 1.05))
    if rng.random() < 0.2:
        _collimate(image, rng)
    return image


def _random_view(frame: Array, size: int, person: Person, rng: np.random.Generator) -> View:
    """The detector behind a patient who stands a little turned, leaning, off centre."""
    roll, pitch, yaw = rng.normal(0, [2.0, 2.0, 2.5])
    posture = rotation(pitch, roll, yaw) if frame is _FRONTAL else rotation(roll, pitch, yaw)
    if frame is _LATERAL and rng.random() < 0.15:  # faces the other way
        frame = frame * np.array([[-1.0], [1.0], [-1.0]])
    middle = (float(rng.normal(0, 0.8)), float(-3 * person.scale[2] + rng.normal(0, 0.8)))
    return make_view(frame @ posture.T, size, float(rng.uniform(31.5, 35.5)), middle)


def _collimate(image: Array, rng: np.random.Generator) -> None:
    """Blackens what the collimator's blades shut out, as the display's shutter does."""
    top, bottom, left, right = (rng.uniform(0, 0.06, 4) * len(image)).astype(int)
    image[:top] = 0
    image[len(image) - bottom :] = 0
    image[:, :left] = 0
    image[:, len(image) - right :] = 0
