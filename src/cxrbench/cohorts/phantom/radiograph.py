"""From bodies to an 8-bit image: line integrals, Beer-Lambert, quantum noise, detector curve.

Attenuation coefficients are rounded from NIST Standard Reference Database 126 (ICRU-44 compositions) at 60 keV,
one energy standing for the spectrum; scatter is left out. The beam is parallel.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from cxrbench.cohorts.phantom.bodies import Array, Body
from cxrbench.cohorts.phantom.chest import DENTS, Chest
from cxrbench.cohorts.phantom.projection import Rays, View, cast, chord, comb_length, shadows
from cxrbench.cohorts.phantom.spans import Span, disjoint, length_outside

SOFT_PER_CM = 0.215  # muscle, blood, fluid
RIB_PER_CM = 0.45  # a cortical shell (0.60) around marrow
SPINE_PER_CM = 0.36  # trabecular bone in a cortical shell


class Scene(NamedTuple):
    """All that a beam meets on its way to one image."""

    chest: Chest
    view: View
    blobs: Sequence[tuple[Body, float]]  # an ellipsoid, and the share of the lung's air that fluid replaces in it
    devices: Sequence[tuple[Body, float]]  # a body, and its coefficient above that of what it displaces, per cm


def line_integrals(scenes: Sequence[Scene]) -> Array:
    """Attenuation integrated along each ray: (images, size, size) float32, from 0, without unit.

    The views are of one size. A few scenes in one pass cost hardly more than one.
    """
    cast = _Cast(scenes)
    total = cast.soft_tissue() + cast.ribs() + cast.solids() - cast.air()
    return np.maximum(total, 0).astype(np.float32)


def expose(integrals: Array, quanta: float, rng: np.random.Generator) -> Array:
    """What the detector says of each ray: -log(counted / sent quanta), (size, size) float32.

    ``quanta`` is the number sent to each pixel. A count has Poisson's mean m = quanta * exp(-integral) and, but for
    an eighth, its variance m: it is (sqrt(m) + z / 2)^2 - 1 / 4 with standard normal z, since the square root of a
    Poisson count is nearly normal and its variance nearly 1 / 4 (Anscombe 1948).
    """
    roots = rng.standard_normal(integrals.shape, np.float32)
    roots *= np.float32(0.5 / math.sqrt(quanta))
    roots += np.exp(integrals * np.float32(-0.5))
    counted = np.square(roots, out=roots)
    counted -= np.float32(0.25 / quanta)
    np.maximum(counted, np.float32(0.5 / quanta), out=counted)
    return np.negative(np.log(counted, out=counted), out=counted)


def develop(exposed: Array, level: float, width: float) -> Array:
    """The display curve: a logistic function of the logarithmic signal, (size, size) uint8, white = dense."""
    return (255 / (1 + np.exp((level - exposed) / np.float32(width))) + 0.5).astype(np.uint8)


class _Cast:
    """The bodies of all scenes under one numbering, by the part they play, and the rays that meet them.

    Each method gives what one kind of body adds to, or takes from, the line integrals: (images, size, size) float64.
    """

    def __init__(self, scenes: Sequence[Scene]) -> None:
        self.scenes, self.size = scenes, len(scenes[0].view.up_cm)
        self.bodies: list[Body] = []
        self.images: list[int] = []
        self.parts: dict[str, list[int]] = defaultdict(list)
        self.solid_per_cm: list[float] = []  # beyond soft tissue, of each solid
        self.fluid_share: list[float] = []
        self.fluid_lung: list[int] = []  # in which lung: 0 and 1 of the first image, 2 and 3 of the second, ...
        for image, scene in enumerate(scenes):
            self._enter(image, scene)
        self.shadows = shadows(self.bodies, self.images, [scene.view for scene in scenes])

    def _enter(self, image: int, scene: Scene) -> None:
        chest = scene.chest
        for part in ("torso", "cage_outer", "cage_inner"):
            self._add(part, image, [getattr(chest, part)])
        self._add("limbs", image, chest.limbs)
        for bodies, per_cm in ((chest.bones, RIB_PER_CM), (chest.vertebrae, SPINE_PER_CM), (chest.airways, 0.0)):
            self._add("solids", image, bodies)
            self.solid_per_cm += [per_cm - SOFT_PER_CM] * len(bodies)
        self._add("solids", image, [body for body, _ in scene.devices])
        self.solid_per_cm += [per_cm for _, per_cm in scene.devices]
        for side, lung in enumerate(chest.lungs):
            self._add("lungs", image, [lung.inside])
            self._add("dents", image, (lung.dents + lung.dents[:1])[:DENTS])
            fluid = [(vessel, 1.0) for vessel in lung.vessels]
            fluid += [blob for blob in scene.blobs if not _apart(blob[0], lung.inside)]
            self._add("fluid", image, [body for body, _ in fluid])
            self.fluid_share += [share for _, share in fluid]
            self.fluid_lung += [2 * image + side] * len(fluid)

    def _add(self, part: str, image: int, bodies: Sequence[Body]) -> None:
        self.parts[part] += range(len(self.bodies), len(self.bodies) + len(bodies))
        self.bodies += bodies
        self.images += [image] * len(bodies)

    def _rays(self, part: str) -> Rays:
        return cast(self.shadows, np.array(self.parts[part], np.int64), self.size)

    def _of_bodies(self, part: str, values: ArrayLike) -> Array:
        """A value for each body, zero for those of other parts."""
        values = np.asarray(values)
        result = np.zeros(len(self.bodies), values.dtype)
        result[self.parts[part]] = values
        return result

    def _picture(self, rays: Rays, amounts: Array) -> Array:
        """The sum of the amounts of each pixel's rays."""
        shape = (len(self.scenes), self.size, self.size)
        return np.bincount(rays.pixel, amounts, math.prod(shape)).reshape(shape)

    def soft_tissue(self) -> Array:
        """The torso, and of the limbs what lies outside of it."""
        torso, limbs = self._rays("torso"), self._rays("limbs")
        rays = len(self.scenes) * self.size**2
        trunk = Span(np.full(rays, np.inf, np.float32), np.full(rays, -np.inf, np.float32))
        trunk.near[torso.pixel], trunk.far[torso.pixel] = torso.span
        length = self._picture(torso, torso.span.length())
        length += self._picture(limbs, length_outside(limbs.span, [trunk.of(limbs.pixel)]))
        return SOFT_PER_CM * length

    def ribs(self) -> Array:
        """The shell between the cage's two ellipsoids, cut by a comb."""
        rays = self._rays("cage_outer")
        near, far = rays.span.near, np.maximum(*rays.span)
        inner = chord(self.shadows.of(np.array(self.parts["cage_inner"])[rays.runs.image]), rays.runs)
        walls = Span(near, np.clip(inner.near, near, far)), Span(np.clip(inner.far, near, far), far)
        combs, views = zip(*((scene.chest.ribs, scene.view) for scene in self.scenes))
        return (RIB_PER_CM - SOFT_PER_CM) * self._picture(rays, comb_length(combs, views, rays.runs, walls))

    def solids(self) -> Array:
        """Bones, airways and devices."""
        rays = self._rays("solids")
        return self._picture(rays, self._of_bodies("solids", self.solid_per_cm)[rays.body] * rays.span.length())

    def air(self) -> Array:
        """Air stands in each lung within the cage outside of what dents the lung; fluid takes its share of it again.

        Where fluids overlap their shares add up, but no ray loses more air than it has.
        """
        rays, lungs = self._rays("lungs"), len(self.parts["lungs"])
        lung = self._of_bodies("lungs", np.arange(lungs))
        inside = rays.span.meet(chord(self.shadows.of(np.array(self.parts["cage_inner"])[rays.runs.image]), rays.runs))
        dents = np.array(self.parts["dents"]).reshape(lungs, DENTS).T[:, lung[rays.runs.body]]
        solid = disjoint([chord(self.shadows.of(bodies), rays.runs) for bodies in dents])
        air = length_outside(inside, solid)
        air -= self._fluid(rays, lung, inside, solid)
        per_cm = np.array([SOFT_PER_CM * (1 - scene.chest.lung_share) for scene in self.scenes])
        return self._picture(rays, per_cm[self.shadows.image[rays.body]] * np.maximum(air, 0, out=air))

    def _fluid(self, rays: Rays, lung: Array, inside: Span, solid: list[Span]) -> Array:
        """How much of each of the lungs' rays fluid fills: (n,) float64, cm."""
        area = self.size**2
        of_lung = np.full(len(self.parts["lungs"]) * area, len(rays.pixel))  # which ray, or the one after the last
        of_lung[rays.pixel + ((lung - self.shadows.image) * area)[rays.body]] = np.arange(len(rays.pixel))
        fluid = self._rays("fluid")
        lung = self._of_bodies("fluid", self.fluid_lung)
        ray = of_lung[fluid.pixel + ((lung - self.shadows.image) * area)[fluid.body]]
        # The ray after the last meets nothing.
        inside = Span(np.append(inside.near, np.float32(np.inf)), np.append(inside.far, np.float32(-np.inf)))
        length = length_outside(fluid.span.meet(inside.of(ray)), [span.of(ray) for span in solid])
        amounts = self._of_bodies("fluid", self.fluid_share)[fluid.body] * length
        return np.bincount(ray, amounts, len(rays.pixel) + 1)[:-1]


def _apart(a: Body, b: Body) -> bool:
    """Whether two ellipsoids hold no common x: one of them lies in the other lung."""
    return abs(float(a.centre_cm[0] - b.centre_cm[0])) > _reach_x(a) + _reach_x(b)


def _reach_x(body: Body) -> float:
    return math.hypot(*(body.axes[:, 0] * body.radii_cm).tolist())
