"""Convex bodies in the patient's own coordinates: ellipsoids and rods, cut by a slab.

Coordinates are in cm: x to the patient's left, y to the front, z to the head.
"""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

Array = np.ndarray
Point = Sequence[float] | Array  # three lengths in cm
_XYZ = np.eye(3)


@dataclasses.dataclass(frozen=True)
class Slab:
    """All points p with |normal . p - offset_cm| <= half_cm; ``normal`` is a unit vector of shape (3,)."""

    normal: Array
    offset_cm: float
    half_cm: float


@dataclasses.dataclass(frozen=True)
class Comb:
    """``count`` slabs side by side: all points p with |normal . p - first_cm - k step_cm| <= half_cm, 0 <= k < count.

    The slabs do not touch: step_cm > 2 half_cm.
    """

    normal: Array
    first_cm: float
    step_cm: float
    half_cm: float
    count: int


@dataclasses.dataclass(frozen=True)
class Body:
    """All points within a quadric and within the slab.

    centre_cm: (3,) float64. axes: (3, 3) float64, rows are the body's orthonormal own axes. radii_cm: (3,)
    float64, semi-axes of the quadric; infinite along the axis of a rod. half_box_cm: (3,) float64, half the
    extents of a box along the own axes that holds the whole body.
    """

    centre_cm: Array
    axes: Array
    radii_cm: Array
    half_box_cm: Array
    slab: Slab | None = None


def ellipsoid(centre_cm: Point, radii_cm: Point, axes: Array | None = None, slab: Slab | None = None) -> Body:
    """An ellipsoid; ``axes`` (rows) default to x, y, z."""
    radii_cm = np.asarray(radii_cm, float)
    return Body(np.asarray(centre_cm, float), _XYZ if axes is None else axes, radii_cm, radii_cm, slab)


def rod(start_cm: Point, end_cm: Point, radius_cm: float) -> Body:
    """A circular cylinder with flat ends, its axis from ``start_cm`` to ``end_cm``."""
    return rods(np.array([start_cm], float), np.array([end_cm], float), radius_cm)[0]


def rods(starts_cm: Array, ends_cm: Array, radius_cm: float | Array) -> list[Body]:
    """A rod of each start and end, (n, 3), in one pass: all of one radius or each of its own, (n,)."""
    ways, centres = ends_cm - starts_cm, (starts_cm + ends_cm) / 2
    halves = np.sqrt((ways**2).sum(axis=1)) / 2
    axes = along(ways / (2 * halves[:, None]))
    boxes = np.empty((len(halves), 3))
    boxes[:, :2], boxes[:, 2] = np.reshape(radius_cm, (-1, 1)), halves
    radii = boxes.copy()
    radii[:, 2] = np.inf
    offsets = (axes[:, 2] * centres).sum(axis=1)
    return [
        Body(centre, own, round_, box, Slab(own[2], offset, half))
        for centre, own, round_, box, offset, half in zip(
            centres, axes, radii, boxes, offsets.tolist(), halves.tolist()
        )
    ]


def chain(points_cm: Array, radius_cm: float) -> list[Body]:
    """Rods from each of the points (n, 3) to the next: a line, a wire, a letter."""
    return rods(points_cm[:-1], points_cm[1:], radius_cm)


def along(axes: Array) -> Array:
    """Orthonormal axes (n, 3, 3), rows, of which the third is one of the unit vectors ``axes`` (n, 3)."""
    x, y, z = axes.T
    none = np.zeros_like(x)
    first = np.where(np.abs(x) < 0.6, [none, z, -y], [-z, none, x])
    first /= np.sqrt((first**2).sum(axis=0))
    a, b, c = first
    return np.stack([first, [y * c - z * b, z * a - x * c, x * b - y * a], [x, y, z]]).transpose(2, 0, 1)


def rotation(x_deg: float, y_deg: float, z_deg: float) -> Array:
    """The rotation matrix (3, 3) that turns about x, then y, then z."""
    x, y, z = math.radians(x_deg), math.radians(y_deg), math.radians(z_deg)
    a, b, c, d, e, f = math.cos(x), math.cos(y), math.cos(z), math.sin(x), math.sin(y), math.sin(z)
    return np.array(
        [
            [b * c, d * e * c - a * f, a * e * c + d * f],
            [b * f, d * e * f + a * c, a * e * f - d * c],
            [-e, d * b, a * b],
        ]
    )
