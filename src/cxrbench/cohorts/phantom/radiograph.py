"""From bodies to an 8-bit image: line integrals, Beer-Lambert, quantum noise, detector curve.

Attenuation coefficients are rounded from NIST Standard Reference Database 126 (ICRU-44 compositions) at 60 keV,
one energy standing for the spectrum; scatter is left out. The beam is parallel.
"""

import math
from collections.abc import Sequence

import numpy as np

from cxrbench.cohorts.phantom.bodies import Array, Body
from cxrbench.cohorts.phantom.chest import Chest, Lung
from cxrbench.cohorts.phantom.projection import Box, Span, View, chord, disjoint, length_outside, shadow_box, slab_span

SOFT_PER_CM = 0.215  # muscle, blood, fluid
RIB_PER_CM = 0.45  # a cortical shell (0.60) around marrow
SPINE_PER_CM = 0.36  # trabecular bone in a cortical shell
Blobs = Sequence[tuple[Body, float]]  # an ellipsoid, and the share of the lung's air that fluid replaces in it
Devices = Sequence[tuple[Body, float]]  # a body, and its coefficient above that of what it displaces, per cm


def line_integrals(chest: Chest, view: View, blobs: Blobs, devices: Devices) -> Array:
    """Attenuation integrated along each ray: (size, size) float32, from 0, without unit."""
    total = np.zeros((len(view.up_cm), len(view.across_cm)), np.float32)
    torso = chord(chest.torso, view, view.box())
    total += SOFT_PER_CM * torso.length()
    for body in chest.limbs:
        box = shadow_box(body, view)
        if not box.is_empty():
            total[box.slices()] += SOFT_PER_CM * length_outside(chord(body, view, box), [torso.crop(box)])
    for lung in chest.lungs:
        _add_lung(total, chest, lung, view, blobs)
    _add_ribs(total, chest, view)
    for bodies, per_cm in ((chest.bones, RIB_PER_CM), (chest.vertebrae, SPINE_PER_CM), (chest.airways, 0.0)):
        for body in bodies:
            _add(total, body, per_cm - SOFT_PER_CM, view)
    for body, per_cm in devices:
        _add(total, body, per_cm, view)
    return np.maximum(total, 0, out=total)


def expose(integrals: Array, quanta: float, rng: np.random.Generator) -> Array:
    """What the detector says of each ray: -log(counted / sent quanta), (size, size) float32.

    ``quanta`` is the number sent to each pixel; counts are Poisson with mean quanta * exp(-integral).
    """
    counts = rng.poisson(quanta * np.exp(-integrals))
    return -np.log(np.maximum(counts, 0.5).astype(np.float32) / np.float32(quanta))


def develop(exposed: Array, level: float, width: float) -> Array:
    """The display curve: a logistic function of the logarithmic signal, (size, size) uint8, white = dense."""
    return (255 / (1 + np.exp((level - exposed) / np.float32(width))) + 0.5).astype(np.uint8)


def _add(total: Array, body: Body, per_cm: float, view: View) -> None:
    box = shadow_box(body, view)
    if not box.is_empty():
        total[box.slices()] += np.float32(per_cm) * chord(body, view, box).length()


def _add_lung(total: Array, chest: Chest, lung: Lung, view: View, blobs: Blobs) -> None:
    """Air replaces soft tissue; vessels and blobs fill part of it again, inside the lung alone.

    Where blobs overlap their shares add up, but no ray loses more air than it has.
    """
    box = shadow_box(lung.inside, view).meet(shadow_box(chest.cage_inner, view))
    if box.is_empty():
        return
    inside = chord(lung.inside, view, box).meet(chord(chest.cage_inner, view, box))
    solids = disjoint([chord(body, view, box) for body in lung.solids])
    air_per_cm = SOFT_PER_CM * (1 - chest.lung_share)
    air = length_outside(inside, solids)
    fluid = np.zeros_like(air)
    for body, share in (*((vessel, 1.0) for vessel in lung.vessels), *blobs):
        if _apart(body, lung.inside):
            continue
        part = box.meet(shadow_box(body, view))
        if not part.is_empty():
            span = chord(body, view, part).meet(inside.crop(part))
            length = length_outside(span, [solid.crop(part) for solid in solids])
            rows, columns = part.slices()
            here = (
                slice(rows.start - box.top, rows.stop - box.top),
                slice(columns.start - box.left, columns.stop - box.left),
            )
            fluid[here] += np.float32(share) * length
    total[box.slices()] -= np.float32(air_per_cm) * np.maximum(air - fluid, 0)


def _apart(a: Body, b: Body) -> bool:
    """Whether two ellipsoids hold no common x: one of them lies in the other lung."""
    reach = math.sqrt(((a.axes[:, 0] * a.radii_cm) ** 2).sum()) + math.sqrt(((b.axes[:, 0] * b.radii_cm) ** 2).sum())
    return abs(float(a.centre_cm[0] - b.centre_cm[0])) > reach


def _add_ribs(total: Array, chest: Chest, view: View) -> None:
    """A rib is the shell between the cage's two ellipsoids, cut by a tilted slab and by the costal edge."""
    box = shadow_box(chest.cage_outer, view)
    if box.is_empty():
        return
    outer = chord(chest.cage_outer, view, box).meet(slab_span(chest.costal_edge, view, box))
    inner = chord(chest.cage_inner, view, box)
    walls = (
        Span(box, outer.near, np.minimum(outer.far, inner.near)),
        Span(box, np.maximum(outer.near, inner.far), outer.far),
    )
    for slab in chest.ribs:
        part = _slab_rows(slab.normal, slab.offset_cm, slab.half_cm, chest.cage_outer, view, box)
        if part.is_empty():
            continue
        cut = slab_span(slab, view, part)
        for wall in walls:
            total[part.slices()] += np.float32(RIB_PER_CM - SOFT_PER_CM) * wall.crop(part).meet(cut).length()


def _slab_rows(normal: Array, offset_cm: float, half_cm: float, body: Body, view: View, box: Box) -> Box:
    """``box`` without the rows in which no ray meets the slab within ``body``, an ellipsoid along x, y, z."""
    across, up, along = view.frame @ normal
    if abs(up) < 0.2:
        return box
    middle = view.frame @ body.centre_cm
    u = view.across_cm[[box.left, box.right - 1]]
    reach = np.linalg.norm(view.frame[2] * body.radii_cm)
    t = np.array([middle[2] - reach, middle[2] + reach])
    v = (offset_cm - across * u[:, None] - along * t[None, :]) / up
    low, high = v.min() - half_cm / abs(up), v.max() + half_cm / abs(up)
    rows = np.flatnonzero((view.up_cm[box.top : box.bottom] >= low) & (view.up_cm[box.top : box.bottom] <= high))
    if not len(rows):
        return Box(box.top, box.top, box.left, box.right)
    return Box(box.top + int(rows[0]), box.top + int(rows[-1]) + 1, box.left, box.right)
