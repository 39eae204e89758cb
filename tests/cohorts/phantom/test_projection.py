import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxrbench.cohorts.phantom.bodies import Body, Slab, ellipsoid, rod, rotation
from cxrbench.cohorts.phantom.projection import Span, View, chord, disjoint, length_outside, make_view, shadow_box

ANGLES = st.floats(-80, 80)
STEP_CM = 0.01


def view_at(x_deg: float, y_deg: float, z_deg: float, size: int = 24) -> View:
    return make_view(rotation(x_deg, y_deg, z_deg), size, 24.0)


def marched_length(body: Body, view: View) -> np.ndarray:
    """The chord by sampling points along each ray: independent of any closed form."""
    t = np.arange(-30, 30, STEP_CM)
    result = np.zeros((len(view.up_cm), len(view.across_cm)))
    for i, v in enumerate(view.up_cm):
        for j, u in enumerate(view.across_cm):
            points = u * view.frame[0] + v * view.frame[1] + t[:, None] * view.frame[2]
            own = (points - body.centre_cm) @ body.axes.T / body.radii_cm
            inside = (own**2).sum(axis=1) <= 1
            for slab in body.slabs:
                inside &= np.abs(points @ slab.normal - slab.offset_cm) <= slab.half_cm
            result[i, j] = inside.sum() * STEP_CM
    return result


@given(radius=st.floats(0.5, 9), x=ANGLES, y=ANGLES, z=ANGLES)
@settings(max_examples=30, deadline=None)
def test_a_spheres_chord_is_twice_the_half_chord_of_its_circle(radius, x, y, z):
    centre = np.array([1.0, -0.5, 2.0])
    view = view_at(x, y, z)
    u, v, _ = view.frame @ centre
    squared = radius**2 - (view.across_cm[None, :] - u) ** 2 - (view.up_cm[:, None] - v) ** 2
    expected = 2 * np.sqrt(np.maximum(squared, 0))
    found = chord(ellipsoid(centre, (radius, radius, radius)), view, view.box()).length()
    np.testing.assert_allclose(found**2, expected**2, atol=1e-3)


@pytest.mark.parametrize(
    "body",
    [
        ellipsoid((1, -2, 0.5), (6, 2, 4), rotation(20, -35, 50)),
        ellipsoid((0, 1, 0), (7, 5, 6), slabs=(Slab(np.array([0.0, 0.6, 0.8]), 1.0, 0.7),)),
        rod((-5, 2, -3), (4, -1, 6), 0.9),
    ],
    ids=["turned ellipsoid", "ellipsoid cut by a tilted slab", "rod"],
)
def test_a_closed_form_chord_equals_a_march_along_the_ray(body):
    view = view_at(12, -25, 40)
    found = chord(body, view, view.box()).length()
    # a march of step h errs by up to h at each end; so does a ray that grazes the edge
    np.testing.assert_allclose(found, marched_length(body, view), atol=3 * STEP_CM)


def test_a_slabs_chord_is_its_thickness_over_the_cosine():
    tilt = np.radians(25)
    slab = Slab(np.array([0.0, np.sin(tilt), np.cos(tilt)]), 0.0, 0.5)
    along_z = View(np.array([[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0]]), *([np.array([-1, 0, 1], np.float32)] * 2))
    found = chord(ellipsoid((0, 0, 0), (90, 90, 90), slabs=(slab,)), along_z, along_z.box()).length()
    np.testing.assert_allclose(found, 1.0 / np.cos(tilt), rtol=1e-5)


@given(x=ANGLES, y=ANGLES, z=ANGLES, length=st.floats(2, 9))
@settings(max_examples=40, deadline=None)
def test_no_ray_outside_the_shadow_box_meets_the_body(x, y, z, length):
    view = view_at(x, y, z, size=48)
    for body in (rod((1, 1, 1), (1, 1 + length, 3), 0.8), ellipsoid((2, 0, -1), (length, 1, 2), rotation(z, x, y))):
        found = chord(body, view, view.box()).length()
        found[shadow_box(body, view).slices()] = 0
        assert found.max() == 0


@given(st.lists(st.tuples(st.floats(-9, 9), st.floats(-2, 6)), min_size=1, max_size=5))
def test_disjoint_intervals_cover_the_same_points_once(ends):
    spans = [
        Span((0, 1, 0, 1), np.array([[near]], np.float32), np.array([[near + length]], np.float32))
        for near, length in ends
    ]
    points = np.linspace(-12, 17, 1500)
    covered = sum(((points > near) & (points < near + length)).astype(int) for near, length in ends) > 0
    counts = sum(((points > s.near[0, 0]) & (points < s.far[0, 0])).astype(int) for s in disjoint(spans))
    assert np.max(counts) <= 1
    assert np.mean(covered != (counts == 1)) < 0.01  # points on an end itself


def test_what_solids_cover_twice_is_cut_out_once():
    def span(near: float, far: float) -> Span:
        return Span((0, 1, 0, 1), np.array([[near]], np.float32), np.array([[far]], np.float32))

    solids = disjoint([span(2, 5), span(4, 6), span(9, 8)])
    assert length_outside(span(0, 10), solids)[0, 0] == pytest.approx(6.0)
