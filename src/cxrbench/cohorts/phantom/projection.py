"""Where a ray of a parallel beam enters and leaves a body, in closed form, for all rays of several images in one pass.

A ray is p(t) = u U + v V + t D with orthonormal U (across the image), V (up) and D (along the ray). For the quadric
|G p| <= 1 (rows of G: own axes over semi-axes; p from its centre) write g for the image of U, V, D under G and P for
the projection orthogonal to gD. Then the ray lies inside for |t - m| <= sqrt((1 - s) / |gD|^2) with the shadow s = |P
(u gU + v gV)|^2 and m = -gD . (u gU + v gV) / |gD|^2. Completing the square in s (Cholesky) turns it into a sum of
two squares, which loses no digits in float32. A slab bounds t linearly; the intersection of convex bodies is the
intersection of their intervals.

Only rays that meet a body are computed: in each row of pixels the shadow says from which column to which it reaches.
"""

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from cxrbench.cohorts.phantom.bodies import Array, Body, Comb
from cxrbench.cohorts.phantom.spans import Span

_PARALLEL = 1e-6  # a slab whose normal is this near to perpendicular to the ray bounds t beyond any patient
_COMB_PARALLEL = 1e-3  # the same for a comb, whose lengths are differences over it: an error of 0.001 cm in either
_BOUNDLESS_CM = 1e6


@dataclasses.dataclass(frozen=True)
class View:
    """A parallel beam on a square detector.

    frame: (3, 3) float64, rows U, V, D in the patient's coordinates. across_cm: (size,) float64, u of each column.
    up_cm: (size,) float64, v of each row, falling.
    """

    frame: Array
    across_cm: Array
    up_cm: Array

    @property
    def pixel_cm(self) -> float:
        return float(self.across_cm[1] - self.across_cm[0])


class Shadows(NamedTuple):
    """n bodies as the rays of their images meet them; with u, v from the body's middle, each field (n,) float64.

    The shadow is (first u + second v)^2 + third v^2; the middle of the chord m = lean_u u + lean_v v + middle_t, its
    half length reach sqrt(1 - shadow); a slab holds |t - (slab_u u + slab_v v + slab_t)| <= slab_half.
    """

    image: Array  # int64
    left_cm: Array  # u of the image's first column
    top_cm: Array  # v of its first row
    pixel_cm: Array
    middle_u: Array
    middle_v: Array
    middle_t: Array
    first: Array
    second: Array
    third: Array
    reach: Array
    lean_u: Array
    lean_v: Array
    slab_u: Array
    slab_v: Array
    slab_t: Array
    slab_half: Array
    box: Array  # (n, 4) int64: the pixels top <= row < bottom, left <= column < right, outside of which none meets it

    def of(self, bodies: Array) -> "Shadows":
        """The bodies with these indices."""
        return Shadows(*(values[bodies] for values in self))


class Runs(NamedTuple):
    """n rays as r runs of neighbours in one row of one image; lengths in cm."""

    body: Array  # (r,) int64, index into the shadows
    image: Array  # (r,) int64
    counts: Array  # (r,) int64, rays of each run
    start_u: Array  # (r,) float64, u of a run's first ray
    v: Array  # (r,) float64
    pixel_cm: Array  # (r,) float64
    steps: Array  # (n,) float32, which ray of its run, from 0

    def line(self, start: Array, slope: Array) -> Array:
        """start + slope u on each ray with u from the run's first ray; (r,) to (n,) float32."""
        result, by_step = np.repeat(np.array([start, slope * self.pixel_cm], np.float32), self.counts, axis=1)
        result += np.multiply(by_step, self.steps, out=by_step)
        return result


class Rays(NamedTuple):
    """n pairs of a body and a ray that may meet it, by body, row and column."""

    body: Array  # (n,) int64, index into the shadows
    pixel: Array  # (n,) int64, (image * size + row) * size + column
    runs: Runs
    span: Span


def make_view(frame: Array, size: int, field_cm: float, centre_cm: tuple[float, float] = (0.0, 0.0)) -> View:
    """A detector of ``size`` x ``size`` pixels and ``field_cm`` width whose middle sees (u, v) = ``centre_cm``."""
    steps = ((np.arange(size) + 0.5) / size - 0.5) * field_cm
    return View(frame, centre_cm[0] + steps, centre_cm[1] - steps)


def shadows(bodies: Sequence[Body], images: Sequence[int], views: Sequence[View]) -> Shadows:
    """The coefficients of all ``bodies``; ``images`` says by which of the ``views`` each of them is seen."""
    image = np.array(images)
    frames = np.array([view.frame for view in views])[image]
    edges = np.array([(view.across_cm[0], view.up_cm[0], view.pixel_cm) for view in views])[image]
    centres = np.array([body.centre_cm for body in bodies])
    radii = np.array([body.radii_cm for body in bodies])
    axes = np.array([body.axes for body in bodies])
    middle = (frames @ centres[:, :, None])[:, :, 0]
    turned = frames @ axes.transpose(0, 2, 1)  # (n, 3, 3): U, V, D in the body's own axes
    scaled = turned / radii[:, None, :]
    gram = scaled @ scaled.transpose(0, 2, 1)
    square = np.maximum(gram[:, 2, 2], _PARALLEL**2)
    ut, vt = gram[:, 0, 2], gram[:, 1, 2]
    first = np.sqrt(np.maximum(gram[:, 0, 0] - ut * ut / square, _PARALLEL**2))
    second = (gram[:, 0, 1] - ut * vt / square) / first
    third = np.maximum(gram[:, 1, 1] - vt * vt / square - second**2, 0)
    ellipse = (first, second, third, 1 / np.sqrt(square), -ut / square, -vt / square)
    fields = [*edges.T, *middle.T, *ellipse, *_slabs(bodies, frames, middle)]
    return Shadows._make([image, *fields, _boxes(bodies, turned[:, :2], radii, middle, edges, len(views[0].up_cm))])


def _slabs(bodies: Sequence[Body], frames: Array, middle: Array) -> Array:
    """(4, n): slab_u, slab_v, slab_t, slab_half; a body without a slab gets one that bounds nothing."""
    result = np.zeros((4, len(bodies)))
    result[3] = _BOUNDLESS_CM
    slabs = {index: body.slab for index, body in enumerate(bodies) if body.slab}
    if slabs:
        cut = np.array(list(slabs))
        normals = np.array([slab.normal for slab in slabs.values()])
        across, up, along = (frames[cut] @ normals[:, :, None])[:, :, 0].T
        along = np.where(np.abs(along) < _PARALLEL, _PARALLEL, along)
        offset = np.array([slab.offset_cm for slab in slabs.values()]) - across * middle[cut, 0] - up * middle[cut, 1]
        half = np.array([slab.half_cm for slab in slabs.values()])
        result[:, cut] = -across / along, -up / along, offset / along, half / np.abs(along)
    return result


def _boxes(bodies: Sequence[Body], spread: Array, radii: Array, middle: Array, edges: Array, size: int) -> Array:
    """(n, 4) int64; that of a rod, whose quadric is endless, comes from the box that holds it."""
    half = np.array([body.half_box_cm for body in bodies])
    endless = ~np.isfinite(radii[:, 2:])
    ellipse = np.sqrt(((spread * np.where(endless, 0, radii)[:, None, :]) ** 2).sum(axis=2))
    reach = np.where(endless, (np.abs(spread) * half[:, None, :]).sum(axis=2), ellipse)
    column, row = ((middle[:, :2] - edges[:, :2]) * [1, -1] / edges[:, 2:]).T
    wide, high = (reach / edges[:, 2:]).T
    sides = np.floor([row - high, row + high + 2, column - wide, column + wide + 2])
    return np.clip(sides, 0, size).astype(np.int64).T


def cast(shadow: Shadows, chosen: Array, size: int) -> Rays:
    """The rays that may meet one of the ``chosen`` bodies (indices), and where; no other ray meets it."""
    top, bottom = shadow.box[chosen, 0], shadow.box[chosen, 1]
    heights = bottom - top
    body = np.repeat(chosen, heights)  # of each run: a run is one row of one body
    row = _numbers(top, heights)
    of = shadow.of(body)
    v = of.top_cm - row * of.pixel_cm
    up = v - of.middle_v
    half = np.sqrt(np.maximum(1 - of.third * up * up, 0)) / of.first
    middle = of.middle_u - of.second / of.first * up - of.left_cm
    column = np.maximum(np.ceil((middle - half) / of.pixel_cm), of.box[:, 2]).astype(np.int64)
    end = np.minimum(np.floor((middle + half) / of.pixel_cm) + 1, of.box[:, 3]).astype(np.int64)
    counts = np.maximum(end - column, 0)
    steps = np.arange(counts.sum(), dtype=np.float32)  # exact: whole numbers below 2^24
    steps -= np.repeat((np.cumsum(counts) - counts).astype(np.float32), counts)
    runs = Runs(body, of.image, counts, of.left_cm + column * of.pixel_cm, v, of.pixel_cm, steps)
    pixel = _numbers((of.image * size + row) * size + column, counts)
    return Rays(np.repeat(body, counts), pixel, runs, chord(of, runs))


def chord(of: Shadows, runs: Runs) -> Span:
    """The exact interval of each ray inside the body that ``of`` holds for its run."""
    u, v = runs.start_u - of.middle_u, runs.v - of.middle_v
    half = runs.line(of.first * u + of.second * v, of.first)
    half *= half
    room, reach = np.repeat(np.array([1 - of.third * v * v, of.reach], np.float32), runs.counts, axis=1)
    np.subtract(room, half, out=half)
    np.maximum(half, 0, out=half)
    np.sqrt(half, out=half)
    half *= reach
    middle = runs.line(of.lean_u * u + of.lean_v * v + of.middle_t, of.lean_u)
    span = Span(middle - half, middle + half)
    if (of.slab_half < _BOUNDLESS_CM).any():
        middle = runs.line(of.slab_u * u + of.slab_v * v + of.slab_t, of.slab_u)
        half = np.repeat(of.slab_half.astype(np.float32), runs.counts)
        span = span.meet(Span(middle - half, middle + half))
    return span


def comb_length(combs: Sequence[Comb], views: Sequence[View], runs: Runs, spans: Sequence[Span]) -> Array:
    """Length of all ``spans`` within the slabs of their image's comb: (n,) float32, cm.

    How much of the slabs lies below a point is a staircase with sloping steps of the point's distance from the first
    of them; its rise along the interval, over the cosine between ray and normal, is the length.
    """
    rows = []
    for comb, view in zip(combs, views):
        across, up, along = view.frame @ comb.normal
        along = np.copysign(max(abs(along), _COMB_PARALLEL), along)
        thick, step = 2 * comb.half_cm, comb.step_cm
        base = (comb.half_cm - comb.first_cm) / step
        rows.append((base, across / step, up / step, along / step, comb.count, step / thick, thick / along))
    base, across, up, *rest = np.array(rows).T[:, runs.image]
    start = runs.line(base + up * runs.v + across * runs.start_u, across)
    along, count, steepness, scale = np.repeat(np.array(rest, np.float32), runs.counts, axis=1)
    length = np.zeros_like(start)
    for span in spans:
        for end, sign in ((span.near, -1), (np.maximum(span.near, span.far), 1)):
            step = np.clip(start + along * end, 0, count)
            whole = np.floor(step)
            step -= whole
            step *= steepness
            length += sign * (whole + np.minimum(step, 1, out=step))
    return length * scale


def _numbers(starts: Array, counts: Array) -> Array:
    """``counts`` whole numbers from each start on, one run after the other: (n,) int64."""
    return np.arange(counts.sum()) + np.repeat(starts - np.cumsum(counts) + counts, counts)
