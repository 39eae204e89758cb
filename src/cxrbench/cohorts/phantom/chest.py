"""A random person's chest as bodies.

Which tissue fills a point where bodies overlap: soft tissue fills the torso, limbs add only what lies outside of
it. A lung is air-filled tissue inside the rib cage from which heart, mediastinum, aorta and liver dome are cut
out. Ribs, spine, clavicles and shoulder blades stand in soft tissue and replace it; where two bones overlap, both
differences to soft tissue count; so do two limbs that overlap outside the torso. Nothing in here knows of the
image's label.
"""

import dataclasses

import numpy as np

from cxrbench.cohorts.phantom.bodies import Array, Body, Comb, Slab, ellipsoid, rod, rods, rotation

DENTS = 4  # of one lung, at most
_RIB_COUNT = 10
_VESSEL_COUNT = 12  # of both lungs
_CAGE_TOP_CM, _CAGE_DEPTH_CM = 14.5, 35.0


@dataclasses.dataclass(frozen=True)
class Person:
    """What stays the same in all of a patient's images; lengths in cm before ``scale``, angles in degrees."""

    scale: Array  # (3,) float64: x, y, z
    fat_cm: float  # soft tissue between ribs and skin
    heart_cm: Array  # (3,) float64, semi-axes
    heart_tilt_deg: float
    mediastinum_cm: float  # half width
    aorta_cm: float
    rib_tilt_deg: float
    scoliosis_cm: float
    kyphosis_cm: float
    breast_cm: float  # 0: none
    stomach_cm: float  # radius of the air in it, 0: none
    lung_share: float  # tissue and blood, of the lung's volume
    vessels: Array  # (n, 5) float64: side, yaw and pitch in degrees, length and radius in cm


@dataclasses.dataclass(frozen=True)
class Lung:
    """One lung: ``inside`` and the rib cage bound it, ``dents`` are cut out of it."""

    inside: Body
    dents: tuple[Body, ...]  # three or four
    vessels: tuple[Body, ...]


@dataclasses.dataclass(frozen=True)
class Chest:
    """One person's bodies as they stand for one image."""

    torso: Body
    limbs: tuple[Body, ...]
    cage_outer: Body  # cut where ribs turn to cartilage, which shows as soft tissue
    cage_inner: Body
    ribs: Comb  # within the cage's wall
    lungs: tuple[Lung, Lung]  # right, left
    bones: tuple[Body, ...]
    vertebrae: tuple[Body, ...]
    airways: tuple[Body, ...]  # air inside soft tissue
    lung_share: float


def random_person(rng: np.random.Generator) -> Person:
    """Draws a person."""
    size = rng.normal(1, 0.04)
    female = rng.random() < 0.3
    return Person(
        scale=np.clip(size * rng.normal(1, [0.03, 0.04, 0.03]), 0.8, 1.25),
        fat_cm=float(np.clip(rng.lognormal(0.75, 0.18), 1.2, 4)),
        heart_cm=np.array([4.6, 4.3, 6.6]) * rng.normal(1, 0.08) * rng.normal(1, 0.03, 3),
        heart_tilt_deg=rng.normal(38, 7),
        mediastinum_cm=float(np.clip(rng.normal(2.6, 0.35), 1.9, 3.8)),
        aorta_cm=float(np.clip(rng.normal(1.7, 0.3), 1.1, 2.6)),
        rib_tilt_deg=rng.normal(24, 4),
        scoliosis_cm=rng.normal(0, 0.6),
        kyphosis_cm=rng.normal(1.4, 0.5),
        breast_cm=float(np.clip(rng.normal(2.0, 0.5), 1.0, 3.2)) if female else 0.0,
        stomach_cm=rng.uniform(1.5, 3) if rng.random() < 0.6 else 0.0,
        lung_share=float(np.clip(rng.normal(0.27, 0.02), 0.2, 0.35)),
        vessels=np.column_stack(
            [
                np.arange(_VESSEL_COUNT) % 2,
                rng.uniform(-50, 50, _VESSEL_COUNT),
                np.repeat(np.linspace(-75, 60, _VESSEL_COUNT // 2), 2) + rng.normal(0, 9, _VESSEL_COUNT),
                rng.uniform(4, 8.5, _VESSEL_COUNT),
                rng.uniform(0.25, 0.55, _VESSEL_COUNT),
            ]
        ),
    )


def make_chest(person: Person, dome_cm: float, heart_scale: float, arms_down: bool) -> Chest:
    """The person breathing in until the right dome stands at height ``dome_cm``, the heart enlarged by the beam."""
    x, y, z = person.scale
    bottom = dome_cm - 6.0
    middle = (0.0, 0.0, (_CAGE_TOP_CM - _CAGE_DEPTH_CM / 2) * z)
    inner = np.array([12.6 * x, 9.8 * y, _CAGE_DEPTH_CM / 2 * z + 1])
    outer = inner + 0.8
    torso = np.array([outer[0] + person.fat_cm, outer[1] + person.fat_cm, 34 * z])
    return Chest(
        torso=ellipsoid((0, 0, -12 * z), torso),
        limbs=_limbs(person, torso, arms_down),
        cage_outer=ellipsoid(middle, outer, slab=Slab(np.array([0.0, 1.0, 0.0]), -50 + 6.3 * y, 50)),
        cage_inner=ellipsoid(middle, inner),
        ribs=_ribs(person),
        lungs=_lungs(person, bottom, dome_cm, heart_scale),
        bones=_bones(person, torso, arms_down),
        vertebrae=_spine(person),
        airways=_airways(person, bottom),
        lung_share=person.lung_share,
    )


def _lungs(person: Person, bottom: float, dome_cm: float, heart_scale: float) -> tuple[Lung, Lung]:
    x, y, z = person.scale
    heart = ellipsoid(
        np.array([2.6 * x, 2.6 * y, dome_cm + 4.2 * z]),
        person.heart_cm * np.array([x, y, z]) * heart_scale,
        rotation(0, person.heart_tilt_deg, 0),
    )
    wide = person.mediastinum_cm * x
    mediastinum = ellipsoid((0, -1.8 * y, -2 * z), (wide, 6 * y, 26 * z))
    aorta = ellipsoid((1.9 * x, -0.5 * y, 6.0 * z), (person.aorta_cm * x, 3.4 * y, 1.9 * z))
    atrium = ellipsoid((-1.8 * x, 1.5 * y, dome_cm + 5 * z), np.array([3.0 * x, 3.2 * y, 5 * z]) * heart_scale)
    cut = Slab(np.array([0.0, 0.0, 1.0]), bottom + 50, 50.0)
    result = []
    for side, sign in enumerate((-1, 1)):
        top = dome_cm - (1.2 if sign > 0 else 0.0)
        dome = ellipsoid((sign * 6.6 * x, 0.6 * y, bottom), (6.2 * x, 8.3 * y, top - bottom))
        inside = ellipsoid((sign * 5.9 * x, -0.6 * y, -6 * z), (6.7 * x, 10.2 * y, 20.2 * z), slab=cut)
        dents = (mediastinum, dome, aorta, heart) if sign > 0 else (mediastinum, dome, atrium)
        hilum = np.array([sign * 2.8 * x, -1 * y, 1.0 * z])
        chosen = person.vessels[person.vessels[:, 0] == side]
        result.append(Lung(inside, dents, _vessels(chosen, hilum, sign)))
    return result[0], result[1]


def _vessels(rows: Array, hilum: Array, sign: int) -> tuple[Body, ...]:
    """Tapered branches from the hilum into the lung, and the hilum's own knot."""
    result = [ellipsoid(hilum, (1.3, 1.5, 2.2))]
    for _, yaw, pitch, length, radius in rows:
        axes = rotation(0, -sign * pitch, 0) @ rotation(0, 0, yaw)
        direction = sign * axes[:, 0]
        result.append(ellipsoid(hilum + direction * length * 0.9, (length, radius, radius), axes.T))
    return tuple(result)


def _limbs(person: Person, torso: Array, arms_down: bool) -> tuple[Body, ...]:
    x, y, z = person.scale
    result = [ellipsoid((0, -1 * y, 24 * z), (6 * x, 6 * y, 16 * z))]
    for sign in (-1, 1):
        if arms_down:
            tilt = rotation(0, -sign * 16, 0)
            result.append(ellipsoid((sign * 10.5 * x, -1.5 * y, 12.8 * z), (11 * x, 6 * y, 5.5 * z), tilt))
            result.append(ellipsoid((sign * (torso[0] + 4), -1, -8 * z), (4.2, 4.5, 24 * z)))
        else:
            result.append(ellipsoid((sign * 8 * x, 0.5 * y, 22 * z), (4 * x, 4.5 * y, 14 * z), rotation(-12, 0, 0)))
        if person.breast_cm:
            depth = person.breast_cm
            result.append(ellipsoid((sign * 7.5 * x, 0.78 * torso[1], -7 * z), (4 + depth, depth, 5 + depth)))
    return tuple(result)


def _ribs(person: Person) -> Comb:
    tilt = np.radians(person.rib_tilt_deg)
    lowest, highest = np.array([-16.5, 10.2]) * person.scale[2] * np.cos(tilt)
    normal = np.array([0.0, np.sin(tilt), np.cos(tilt)])
    return Comb(normal, float(lowest), float(highest - lowest) / (_RIB_COUNT - 1), 0.7, _RIB_COUNT)


def _spine(person: Person) -> tuple[Body, ...]:
    x, y, z = person.scale
    edges = np.linspace(20, -26, 18) * z
    bend = np.cos(edges / (14 * z))
    line = np.column_stack([person.scoliosis_cm * bend, -5.6 * y - person.kyphosis_cm * bend * 0.6, edges])
    ways = np.diff(line, axis=0)
    return tuple(rods(line[:-1] + 0.12 * ways, line[1:] - 0.1 * ways, 1.75 * x))


def _bones(person: Person, torso: Array, arms_down: bool) -> tuple[Body, ...]:
    x, y, z = person.scale
    result = [ellipsoid((0, 7.6 * y, 1 * z), (1.7 * x, 0.5, 8.5 * z), rotation(8, 0, 0))]
    for sign in (-1, 1):
        if arms_down:
            blade = rotation(0, sign * 14, sign * 35)
            result.append(ellipsoid((sign * 12.6 * x, -7.2 * y, 5.5 * z), (3.6 * x, 0.45, 7.5 * z), blade.T))
            result.append(ellipsoid((sign * 17.5 * x, -1 * y, 11.5 * z), (2.4, 2.4, 2.4)))
        else:
            blade = rotation(0, 0, sign * 60)
            result.append(ellipsoid((sign * 10.5 * x, -6.5 * y, 6 * z), (3.6 * x, 0.3, 7 * z), blade.T))
    # from and to, on the left side: the clavicle's inner and outer half, the arm
    half = [
        ((1.8 * x, 5 * y, 11 * z), (8.5 * x, 3.8 * y, 12.6 * z)),
        ((8.3 * x, 3.8 * y, 12.5 * z), (15.5 * x, -y, 13.8 * z)),
    ]
    half.append(((17.6 * x, -y, 11 * z), (torso[0] + 5, -1, -12 * z)))
    radii = [0.62, 0.55, 1.1]
    if not arms_down:
        half, radii = [((11 * x, -2 * y, 12 * z), (11 * x, 3 * y, 34 * z))], [1.1]
    ends = np.concatenate([np.array(half), np.array(half) * [-1, 1, 1]])
    return (*result, *rods(ends[:, 0], ends[:, 1], np.array(radii * 2)))


def _airways(person: Person, bottom: float) -> tuple[Body, ...]:
    x, y, z = person.scale
    result = [rod((0.1, -0.5 * y, 20 * z), (0, -1.8 * y, 3 * z), 0.75 * x)]
    if person.stomach_cm:
        radius = person.stomach_cm
        result.append(ellipsoid((6 * x, 1 * y, bottom + 1.0), (radius * 1.3, radius, radius * 0.8)))
    return tuple(result)
