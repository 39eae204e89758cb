"""Lines, tubes, wires and lead markers: rods and flat ellipsoids of dense material, on both classes alike."""

import numpy as np

from cxrbench.cohorts.phantom.bodies import Array, Body, chain, ellipsoid
from cxrbench.cohorts.phantom.chest import Person
from cxrbench.cohorts.phantom.projection import View

_LINE_PER_CM = 1.5  # radio-opaque plastic
_METAL_PER_CM = 3.0
_LEAD_PER_CM = 30.0
_LETTERS = {
    "L": [(0, 2), (0, 0), (1.2, 0)],
    "R": [(0, 0), (0, 2), (1.1, 2), (1.1, 1.05), (0, 1.0), (1.2, 0)],
}


def random_devices(person: Person, rng: np.random.Generator) -> list[tuple[Body, float]]:
    """What one study finds in and on the patient: nothing (most often), or some of four devices."""
    x, y, z = person.scale
    devices: list[tuple[Body, float]] = []
    if rng.random() < 0.10:  # central venous line through the neck into the upper caval vein
        path = [(-5, 1, 22), (-4.2, 1.5, 13), (-2.6, 1, 8), (-2.2, 0.5, rng.uniform(-3, 3))]
        devices += _line(np.array(path) * [x, y, z] + rng.normal(0, 0.3, 3), 0.12, _LINE_PER_CM)
    if rng.random() < 0.08:  # endotracheal tube
        path = [(0.2, 0, 22), (0, -1, 12), (rng.normal(0, 0.3), -1.5, rng.uniform(4, 8))]
        devices += _line(np.array(path) * [x, y, z], 0.22, 0.8 * _LINE_PER_CM)
    if rng.random() < 0.05:  # pacemaker below the left clavicle with its lead to the heart
        can = np.array([8.5 * x, 8.5 * y, rng.uniform(7, 9) * z])
        devices.append((ellipsoid(can, (2.6, 0.5, 2.2)), _METAL_PER_CM))
        path = [
            (8.5 * x, 8.5 * y, float(can[2])),
            (4 * x, 4 * y, 11 * z),
            (-1.8 * x, 1.5 * y, 6 * z),
            (-1 * x, 2 * y, -4 * z),
            (4 * x, 4 * y, -8 * z),
        ]
        devices += _line(np.array(path), 0.11, _METAL_PER_CM)
    if rng.random() < 0.12:  # electrodes and their wires on the skin
        meeting = np.array([rng.uniform(-6, 6), 13 * y, -18 * z])
        for place in ((-9, 9), (9, 9), (rng.uniform(7, 11), -6)):
            disc = np.array([place[0] * x, 11 * y, place[1] * z]) + rng.normal(0, 0.8, 3)
            devices.append((ellipsoid(disc, (0.7, 0.15, 0.7)), 0.5 * _METAL_PER_CM))
            bend = (disc + meeting) / 2 + rng.normal(0, 2, 3) * [1, 0, 1]
            devices += _line(np.array([disc, bend, meeting]), 0.09, _METAL_PER_CM)
    return devices


def marker(letter: str, view: View, across: float, up: float, height_cm: float) -> list[tuple[Body, float]]:
    """A lead letter that lies on the detector, at shares ``across``, ``up`` of the field from its lower left."""
    width = view.across_cm[-1] - view.across_cm[0]
    corner = np.array([view.across_cm[0] + across * width, view.up_cm[-1] + up * width])
    flat = corner + np.array(_LETTERS[letter]) * height_cm / 2
    points = flat @ view.frame[:2]  # on the plane through the origin: depth does not show in a parallel beam
    return _line(points, 0.09 * height_cm, _LEAD_PER_CM)


def _line(points_cm: Array, radius_cm: float, per_cm: float) -> list[tuple[Body, float]]:
    return [(body, per_cm) for body in chain(points_cm, radius_cm)]
