"""What the label stands for: fluid in the lungs' air, as ellipsoids that projection clips to the lungs.

Each opacity is a cloud of nested and scattered ellipsoids, so that its edge is soft and its texture uneven.
"""

import numpy as np

from cxrbench.cohorts.phantom.bodies import Body, Point, ellipsoid, rotation
from cxrbench.cohorts.phantom.chest import Person

# Share of the air that fluid replaces at the focus, log-uniform between studies: most pneumonias are plain to see,
# some are there and can hardly be seen.
PLAIN = (0.5, 1.0)
FAINT = (0.1, 0.5)
FAINT_SHARE = 0.08  # of the studies with pneumonia


def pneumonia(person: Person, dome_cm: float, rng: np.random.Generator) -> tuple[str, list[tuple[Body, float]]]:
    """('lobar' | 'diffuse', ellipsoids with the share of air that fluid replaces in each)."""
    low, high = FAINT if rng.random() < FAINT_SHARE else PLAIN
    strength = float(np.exp(rng.uniform(np.log(low), np.log(high))))
    if rng.random() < 0.45:
        return "lobar", _lobar(person, dome_cm, strength, rng)
    return "diffuse", _diffuse(person, dome_cm, 0.7 * strength, rng)


def covid(person: Person, dome_cm: float, rng: np.random.Generator) -> list[tuple[Body, float]]:
    """Bilateral, peripheral ground glass, more of it towards the base."""
    strength = float(np.exp(rng.uniform(np.log(0.5), np.log(1.0))))
    x, y, z = person.scale
    blobs = []
    for sign in (-1, 1):
        for _ in range(rng.integers(5, 9)):
            up = rng.triangular(0, 0.2, 1)
            height = dome_cm - 1 + up * (8 * z - dome_cm)
            out = (rng.uniform(9.0, 12.0) - 3.5 * up) * x
            centre = (sign * out, rng.uniform(-7, 5) * y, height)
            blobs += _cloud(centre, rng.uniform(2.4, 4.4), strength * rng.uniform(0.6, 1.4), rng)
    return blobs


def _lobar(person: Person, dome_cm: float, strength: float, rng: np.random.Generator) -> list[tuple[Body, float]]:
    x, y, z = person.scale
    sign = rng.choice([-1, 1], p=[0.6, 0.4])
    height = rng.choice([dome_cm + rng.uniform(0, 4), rng.uniform(-2, 3), rng.uniform(5, 10)], p=[0.55, 0.25, 0.2])
    centre = (sign * rng.uniform(5, 9) * x, rng.uniform(-5, 4) * y, height)
    blobs = _cloud(centre, rng.uniform(4.5, 7.0), strength, rng)
    blobs.append((ellipsoid((sign * 6 * x, 0, 0.6 * height), (7 * x, 10 * y, 11 * z)), 0.4 * strength))  # haze around
    for _ in range(rng.integers(3, 8)):
        near = np.array(centre) + rng.normal(0, 4, 3)
        blobs.append(_ellipsoid(near, rng.uniform(2, 4.5), 0.7 * strength, rng))
    return blobs


def _diffuse(person: Person, dome_cm: float, strength: float, rng: np.random.Generator) -> list[tuple[Body, float]]:
    x, y, z = person.scale
    blobs = []
    for _ in range(rng.integers(14, 23)):
        sign = rng.choice([-1, 1])
        height = rng.uniform(dome_cm - 1, 10 * z)
        centre = (sign * rng.uniform(4, 10) * x, rng.uniform(-6, 5) * y, height)
        blobs.append(_ellipsoid(centre, rng.uniform(2.5, 5), strength * rng.uniform(0.5, 1.5), rng))
    return blobs


def _cloud(centre_cm: Point, radius_cm: float, share: float, rng: np.random.Generator) -> list[tuple[Body, float]]:
    """Two ellipsoids, one within the other, half of the share in each: a soft edge."""
    body, share = _ellipsoid(centre_cm, radius_cm, share, rng)
    return [(ellipsoid(centre_cm, body.radii_cm * part, body.axes), share / 2) for part in (0.65, 1.0)]


def _ellipsoid(centre_cm: Point, radius_cm: float, share: float, rng: np.random.Generator) -> tuple[Body, float]:
    radii = radius_cm * rng.uniform(0.75, 1.35, 3)
    return ellipsoid(centre_cm, radii, rotation(*rng.uniform(-90, 90, 3))), min(share, 1.0)
