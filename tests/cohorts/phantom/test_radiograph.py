import dataclasses

import numpy as np
import pytest

from cxrbench.cohorts.phantom.bodies import ellipsoid, rod, rotation
from cxrbench.cohorts.phantom.chest import Chest, make_chest, random_person
from cxrbench.cohorts.phantom.findings import pneumonia
from cxrbench.cohorts.phantom.projection import View, cast, chord, make_view, shadows
from cxrbench.cohorts.phantom.radiograph import SOFT_PER_CM, Scene, develop, expose
from cxrbench.cohorts.phantom.radiograph import line_integrals as line_integrals_of

FRONTAL = np.array([[1.0, 0, 0], [0, 0, 1.0], [0, -1.0, 0]])
LATERAL = np.array([[0, -1.0, 0], [0, 0, 1.0], [-1.0, 0, 0]])


def chest_and_view(seed: int, frame: np.ndarray) -> tuple[Chest, View]:
    rng = np.random.default_rng(seed)
    chest = make_chest(random_person(rng), -9.0, 1.0, arms_down=True)
    return chest, make_view(frame @ rotation(2, -3, 2), 64, 36.0, (0, -3))


def line_integrals(chest: Chest, view: View, blobs, devices) -> np.ndarray:
    return line_integrals_of([Scene(chest, view, blobs, devices)])[0]


def length(view: View, body, *others) -> np.ndarray:
    """Of each ray within all of the bodies, (size, size)."""
    shadow = shadows([body, *others], [0] * (1 + len(others)), [view])
    rays = cast(shadow, np.array([0]), len(view.up_cm))
    span = rays.span
    for other in range(1, 1 + len(others)):
        span = span.meet(chord(shadow.of(np.full(len(rays.runs.body), other)), rays.runs))
    result = np.zeros((len(view.up_cm), len(view.up_cm)))
    result.ravel()[rays.pixel] = span.length()
    return result


def lung_length(chest: Chest, view: View) -> np.ndarray:
    return sum(length(view, lung.inside, chest.cage_inner) for lung in chest.lungs)


def bare(chest: Chest, **changes) -> Chest:
    """Without ribs, other bones, airways and limbs."""
    no_ribs = dataclasses.replace(chest.ribs, count=0)
    return dataclasses.replace(chest, limbs=(), ribs=no_ribs, bones=(), vertebrae=(), airways=(), **changes)


def test_counts_follow_beer_and_lambert():
    integrals = np.full((200, 200), 2.0, np.float32)
    exposed = expose(integrals, 1e5, np.random.default_rng(0))
    counts = 1e5 * np.exp(-exposed)
    expected = 1e5 * np.exp(-2.0)
    assert counts.mean() == pytest.approx(expected, rel=1e-3)
    assert counts.var() == pytest.approx(expected, rel=0.05)  # Poisson: the variance is the mean


def test_a_body_of_soft_tissue_alone_attenuates_by_its_chord():
    chest, view = chest_and_view(0, FRONTAL)
    expected = SOFT_PER_CM * length(view, chest.torso)
    np.testing.assert_allclose(line_integrals(bare(chest, lung_share=1.0), view, (), ()), expected, rtol=1e-5)


def test_several_images_in_one_pass_are_as_each_alone():
    scenes = []
    for seed, frame in enumerate((FRONTAL, LATERAL, FRONTAL)):
        rng = np.random.default_rng(seed)
        devices = [(rod((0, 0, -9), (3, 4, 5), 0.3), 2.0)] * seed
        scenes.append(Scene(*chest_and_view(seed, frame), pneumonia(random_person(rng), -9.0, rng)[1], devices))
    for scene, together in zip(scenes, line_integrals_of(scenes)):
        np.testing.assert_allclose(line_integrals(*scene), together, atol=1e-5)


@pytest.mark.parametrize("frame", [FRONTAL, LATERAL], ids=["frontal", "lateral"])
@pytest.mark.parametrize("seed", range(4))
def test_opacity_raises_attenuation_inside_the_lungs_and_nowhere_else(seed, frame):
    chest, view = chest_and_view(seed, frame)
    rng = np.random.default_rng(seed)
    _, blobs = pneumonia(random_person(rng), -9.0, rng)
    blobs.append((ellipsoid((0, 0, 0), (30, 30, 30)), 0.3))  # reaches far beyond the lungs
    added = line_integrals(chest, view, blobs, ()) - line_integrals(chest, view, (), ())
    assert added.min() >= -1e-5
    assert added.max() > 0.2
    assert np.abs(added[lung_length(chest, view) == 0]).max() < 1e-5


def test_no_amount_of_fluid_takes_more_air_than_the_lung_holds():
    chest, view = chest_and_view(1, FRONTAL)
    flood = [(ellipsoid((0, 0, 0), (40, 40, 40)), 1.0)] * 3
    airless = dataclasses.replace(chest, lung_share=1.0)
    full = line_integrals(chest, view, flood, ())
    np.testing.assert_allclose(full, line_integrals(airless, view, (), ()), atol=1e-4)


def test_the_rib_cage_lies_inside_the_torso_of_every_person():
    """Else air would be taken out of where there is none; ribs and lungs are bounded by the cage."""
    rng = np.random.default_rng(0)
    sphere = rng.normal(size=(2000, 3))
    sphere /= np.linalg.norm(sphere, axis=1, keepdims=True)
    for _ in range(300):
        chest = make_chest(random_person(rng), -9.0, 1.0, arms_down=True)
        surface = chest.cage_outer.centre_cm + sphere * chest.cage_outer.radii_cm
        assert (((surface - chest.torso.centre_cm) / chest.torso.radii_cm) ** 2).sum(axis=1).max() < 1


def test_lungs_are_dark_and_the_heart_is_at_the_right_of_the_image():
    chest, view = chest_and_view(2, FRONTAL)
    image = develop(line_integrals(bare(chest), view, (), ()), 3.3, 0.9).astype(float)
    row = int(np.argmin(np.abs(view.up_cm + 5)))  # 4 cm above the dome
    right, left = (int(np.argmin(np.abs(view.across_cm - u))) for u in (-6.0, 6.0))
    assert image[row, right] < image[row, left] - 20
    assert image[row, right] < image[-1, right] - 60


def test_the_display_shows_more_attenuation_whiter():
    values = develop(np.linspace(0, 8, 200, dtype=np.float32)[None], 3.0, 0.9)
    assert values.dtype == np.uint8
    assert (np.diff(values.astype(int)) >= 0).all()
    assert values[0, 0] < 15
    assert values[0, -1] > 240
