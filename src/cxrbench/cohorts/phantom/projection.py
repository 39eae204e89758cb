"""Where a ray of a parallel beam enters and leaves a body, in closed form, for all pixels of a box at once.

A ray is p(t) = u U + v V + t D with orthonormal U (across the image), V (up) and D (along the ray). For the quadric
|G p| <= 1 (rows of G: own axes over semi-axes; p from its centre) write g for the image of U, V, D under G and P for
the projection orthogonal to gD. Then the ray lies inside for |t - m| <= sqrt((1 - s) / |gD|^2) with the shadow s = |P
(u gU + v gV)|^2 and m = -gD . (u gU + v gV) / |gD|^2. Completing the square in s (Cholesky) turns it into a sum of
two squares, which loses no digits in float32. A slab bounds t linearly; the intersection of convex bodies is the
intersection of their intervals.
"""

import dataclasses
import math
from typing import NamedTuple

import numpy as np

from cxrbench.cohorts.phantom.bodies import Array, Body, Slab

_PARALLEL = 1e-6  # a slab whose normal is this near to perpendicular to the ray bounds t beyond any patient


class Box(NamedTuple):
    """Pixels top <= row < bottom, left <= column < right."""

    top: int
    bottom: int
    left: int
    right: int

    def slices(self) -> tuple[slice, slice]:
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def meet(self, other: "Box") -> "Box":
        top, left = max(self.top, other.top), max(self.left, other.left)
        return Box(top, max(top, min(self.bottom, other.bottom)), left, max(left, min(self.right, other.right)))

    def is_empty(self) -> bool:
        return self.top >= self.bottom or self.left >= self.right


@dataclasses.dataclass(frozen=True)
class View:
    """A parallel beam on a square detector.

    frame: (3, 3) float64, rows U, V, D in the patient's coordinates. across_cm: (size,) float32, u of each
    column. up_cm: (size,) float32, v of each row, falling.
    """

    frame: Array
    across_cm: Array
    up_cm: Array

    def box(self) -> Box:
        return Box(0, len(self.up_cm), 0, len(self.across_cm))


class Span(NamedTuple):
    """An interval on each ray: near, far are (rows, columns) float32, cm along the ray; empty where far <= near."""

    box: Box
    near: Array
    far: Array

    def length(self) -> Array:
        length = self.far - self.near
        return np.maximum(length, 0, out=length)

    def crop(self, box: Box) -> "Span":
        rows = slice(box.top - self.box.top, box.bottom - self.box.top)
        columns = slice(box.left - self.box.left, box.right - self.box.left)
        return Span(box, self.near[rows, columns], self.far[rows, columns])

    def meet(self, other: "Span") -> "Span":
        return Span(self.box, np.maximum(self.near, other.near), np.minimum(self.far, other.far))


def make_view(frame: Array, size: int, field_cm: float, centre_cm: tuple[float, float] = (0.0, 0.0)) -> View:
    """A detector of ``size`` x ``size`` pixels and ``field_cm`` width whose middle sees (u, v) = ``centre_cm``."""
    steps = ((np.arange(size) + 0.5) / size - 0.5) * field_cm
    return View(frame, (centre_cm[0] + steps).astype(np.float32), (centre_cm[1] - steps).astype(np.float32))


def shadow_box(body: Body, view: View) -> Box:
    """The pixels outside of which no ray meets ``body``."""
    middle_u, middle_v = (view.frame[:2] @ body.centre_cm).tolist()
    spread = view.frame[:2] @ body.axes.T
    if math.isfinite(body.radii_cm[2]):
        spread *= body.radii_cm
        reach_u, reach_v = np.sqrt((spread * spread).sum(axis=1)).tolist()
    else:
        reach_u, reach_v = (np.abs(spread) @ body.half_box_cm).tolist()
    left_cm, top_cm, size = float(view.across_cm[0]), float(view.up_cm[0]), len(view.up_cm)
    pixel_cm = float(view.across_cm[1]) - left_cm

    def pixel(distance_cm: float, extra: int) -> int:
        return min(max(math.floor(distance_cm / pixel_cm) + extra, 0), size)

    return Box(
        pixel(top_cm - middle_v - reach_v, 0),
        pixel(top_cm - middle_v + reach_v, 2),
        pixel(middle_u - reach_u - left_cm, 0),
        pixel(middle_u + reach_u - left_cm, 2),
    )


def chord(body: Body, view: View, box: Box) -> Span:
    """The exact interval of each ray of ``box`` inside ``body``."""
    middle = view.frame @ body.centre_cm
    u, v = _grid(view, box)
    u, v = u - np.float32(middle[0]), v - np.float32(middle[1])
    image = (view.frame @ body.axes.T) / body.radii_cm
    (uu, uv, ut), (_, vv, vt), (_, _, square) = (image @ image.T).tolist()
    square = max(square, _PARALLEL**2)
    uu, uv, vv = uu - ut * ut / square, uv - ut * vt / square, vv - vt * vt / square
    first = math.sqrt(max(uu, _PARALLEL**2))
    shadow = np.float32(first) * u + np.float32(uv / first) * v
    shadow *= shadow
    shadow += np.float32(max(vv - uv * uv / first**2, 0)) * (v * v)
    half = np.subtract(np.float32(1), shadow, out=shadow)
    np.maximum(half, 0, out=half)
    half *= np.float32(1 / square)
    np.sqrt(half, out=half)
    mid = np.float32(-ut / square) * u + (np.float32(-vt / square) * v + np.float32(middle[2]))
    span = Span(box, mid - half, mid + half)
    for slab in body.slabs:
        span = span.meet(slab_span(slab, view, box))
    return span


def slab_span(slab: Slab, view: View, box: Box) -> Span:
    """The exact interval of each ray of ``box`` inside ``slab``."""
    u, v = _grid(view, box)
    across, up, along = view.frame @ slab.normal
    if abs(along) < _PARALLEL:
        along = _PARALLEL
    mid = np.float32(-across / along) * u + (np.float32(-up / along) * v + np.float32(slab.offset_cm / along))
    half = np.float32(slab.half_cm / abs(along))
    return Span(box, mid - half, mid + half)


def disjoint(spans: list[Span]) -> list[Span]:
    """Intervals of the same union of which no two overlap; all spans share one box.

    How many intervals cover a point depends on how many begin and how many end before it, not on which end
    belongs to which beginning: both may be sorted by themselves.
    """
    near = [span.near for span in spans]
    far = [np.maximum(span.near, span.far) for span in spans]
    for ends in (near, far):
        for last in range(len(ends) - 1, 0, -1):
            for i in range(last):
                ends[i], ends[i + 1] = np.minimum(ends[i], ends[i + 1]), np.maximum(ends[i], ends[i + 1])
    starts = [near[0], *(np.maximum(start, before) for start, before in zip(near[1:], far[:-1]))]
    return [Span(spans[0].box, start, end) for start, end in zip(starts, far)]


def length_outside(span: Span, solids: list[Span]) -> Array:
    """Length of ``span`` outside all of ``solids``, which do not overlap: (rows, columns) float32, cm."""
    length = span.length()
    for solid in solids:
        length -= span.meet(solid).length()
    return length


def _grid(view: View, box: Box) -> tuple[Array, Array]:
    rows, columns = box.slices()
    return view.across_cm[None, columns], view.up_cm[rows, None]
