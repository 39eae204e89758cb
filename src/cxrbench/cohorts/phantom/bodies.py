"""Convex bodies in the patient's own coordinates: ellipsoids and rods, cut by slabs.

Coordinates are in cm: x to the patient's left, y to the front, z to the head.
"""

import dataclasses
import itertools
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
class Body:
    """All points within a quadric and within every slab.

    centre_cm: (3,) float64. axes: (3, 3) float64, rows are the body's orthonormal own axes. radii_cm: (3,)
    float64, semi-axes of the quadric; infinite along the axis of a rod. half_box_cm: (3,) float64, half the
    extents of a box along the own axes that holds the whole body.
    """

    centre_cm: Array
    axes: Array
    radii_cm: Array
    half_box_cm: Array
    slabs: tuple[Slab, ...] = ()


def ellipsoid(centre_cm: Point, radii_cm: Point, axes: Array | None = None, slabs: tuple[Slab, ...] = ()) -> Body:
    """An ellipsoid; ``axes`` (rows) default to x, y, z."""
    radii_cm = np.asarray(radii_cm, float)
    return Body(np.asarray(centre_cm, float), _XYZ if axes is None else axes, radii_cm, radii_cm, slabs)


def rod(start_cm: Point, end_cm: Point, radius_cm: float) -> Body:
    """A circular cylinder with flat ends, its axis from ``start_cm`` to ``end_cm``."""
    start, end = np.asarray(start_cm, float), np.asarray(end_cm, float)
    half = math.dist(start, end) / 2
    axis, centre = (end - start) / (2 * half), (start + end) / 2
    return Body(
        centre,
        along(axis),
        np.array([radius_cm, radius_cm, np.inf]),
        np.array([radius_cm, radius_cm, half]),
        (Slab(axis, float(axis @ centre), half),),
    )


def chain(points_cm: Array, radius_cm: float) -> list[Body]:
    """Rods from each of the points (n, 3) to the next: a line, a wire, a letter."""
    return [rod(start, end, radius_cm) for start, end in itertools.pairwise(points_cm)]


def along(axis: Array) -> Array:
    """Orthonormal axes (3, 3), rows, of which the third is the unit vector ``axis``."""
    x, y, z = map(float, axis)
    first = np.array([0.0, z, -y]) if abs(x) < 0.6 else np.array([-z, 0.0, x])
    a, b, c = first / np.linalg.norm(first)
    return np.array([[a, b, c], [y * c - z * b, z * a - x * c, x * b - y * a], [x, y, z]])


def rotation(x_deg: float, y_deg: float, z_deg: float) -> Array:
    """The rotation matrix (3, 3) that turns about x, then y, then z."""
    (a, b, c), (d, e, f) = (
        [turn(math.radians(angle)) for angle in (x_deg, y_deg, z_deg)] for turn in (math.cos, math.sin)
    )
    return np.array(
        [
            [b * c, d * e * c - a * f, a * e * c + d * f],
            [b * f, d * e * f + a * c, a * e * f - d * c],
            [-e, d * b, a * b],
        ]
    )
