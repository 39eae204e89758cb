"""Intervals on rays: where each of n rays is inside something, and the lengths of what is left of them."""

from typing import NamedTuple

import numpy as np

from cxrbench.cohorts.phantom.bodies import Array


class Span(NamedTuple):
    """An interval on each of n rays: near, far are (n,) float32, cm along the ray; empty where far <= near."""

    near: Array
    far: Array

    def length(self) -> Array:
        length = self.far - self.near
        return np.maximum(length, 0, out=length)

    def meet(self, other: "Span") -> "Span":
        return Span(np.maximum(self.near, other.near), np.minimum(self.far, other.far))

    def of(self, rays: Array) -> "Span":
        """The intervals of the rays with these indices; beyond the last, that of the last."""
        return Span(self.near.take(rays, mode="clip"), self.far.take(rays, mode="clip"))


def disjoint(spans: list[Span]) -> list[Span]:
    """Intervals of the same union of which no two overlap.

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
    return [Span(start, end) for start, end in zip(starts, far)]


def length_outside(span: Span, solids: list[Span]) -> Array:
    """Length of ``span`` outside all of ``solids``, which do not overlap: (n,) float32, cm."""
    length = span.length()
    for solid in solids:
        length -= span.meet(solid).length()
    return length
