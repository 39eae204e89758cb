import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cxrbench.cohorts.phantom.bodies import Body, Comb, Slab, ellipsoid, rod, rotation
from cxrbench.cohorts.phantom.projection import Rays, Shadows, View, cast, chord, comb_length, make_view, shadows
from cxrbench.cohorts.phantom.spans import Span

ANGLES = st.floats(-80, 80)
STEP_CM = 0.01


def view_at(x_deg: float, y_deg: float, z_deg: float, size: int = 24) -> View:
    return make_view(rotation(x_deg, y_deg, z_deg), size, 24.0)


def lengths(body: Body, view: View) -> np.ndarray:
    """What ``cast`` finds, as a picture (size, size)."""
    return picture(cast(shadows([body], [0], [view]), np.array([0]), len(view.up_cm)), view)


def picture(rays: Rays, view: View) -> np.ndarray:
    result = np.zeros((len(view.up_cm), len(view.across_cm)))
    assert len(set(rays.pixel)) == len(rays.pixel)
    result.ravel()[rays.pixel] = rays.span.length()
    return result


def everywhere(shadow: Shadows) -> np.ndarray:
    """``shadow`` with a box that holds all pixels, so that ``cast`` finds the ends of each row by the ellipse alone."""
    return shadow._replace(box=np.array([[0, 24, 0, 24]]))


def marched_length(body: Body, view: View) -> np.ndarray:
    """The chord by sampling points along each ray: independent of any closed form."""
    t = np.arange(-30, 30, STEP_CM)
    result = np.zeros((len(view.up_cm), len(view.across_cm)))
    for i, v in enumerate(view.up_cm):
        for j, u in enumerate(view.across_cm):
            points = u * view.frame[0] + v * view.frame[1] + t[:, None] * view.frame[2]
            own = (points - body.centre_cm) @ body.axes.T / body.radii_cm
            inside = (own**2).sum(axis=1) <= 1
            if body.slab:
                inside &= np.abs(points @ body.slab.normal - body.slab.offset_cm) <= body.slab.half_cm
            result[i, j] = inside.sum() * STEP_CM
    return result


@given(radius=st.floats(0.5, 9), x=ANGLES, y=ANGLES, z=ANGLES)
@settings(max_examples=30)
def test_a_spheres_chord_is_twice_the_half_chord_of_its_circle(radius, x, y, z):
    centre = np.array([1.0, -0.5, 2.0])
    view = view_at(x, y, z)
    u, v, _ = view.frame @ centre
    squared = radius**2 - (view.across_cm[None, :] - u) ** 2 - (view.up_cm[:, None] - v) ** 2
    expected = 2 * np.sqrt(np.maximum(squared, 0))
    found = lengths(ellipsoid(centre, (radius, radius, radius)), view)
    np.testing.assert_allclose(found**2, expected**2, atol=1e-3)


@pytest.mark.parametrize(
    "body",
    [
        ellipsoid((1, -2, 0.5), (6, 2, 4), rotation(20, -35, 50)),
        ellipsoid((0, 1, 0), (7, 5, 6), slab=Slab(np.array([0.0, 0.6, 0.8]), 1.0, 0.7)),
        rod((-5, 2, -3), (4, -1, 6), 0.9),
    ],
    ids=["turned ellipsoid", "ellipsoid cut by a tilted slab", "rod"],
)
def test_a_closed_form_chord_equals_a_march_along_the_ray(body):
    view = view_at(12, -25, 40)
    found = lengths(body, view)
    # a march of step h errs by up to h at each end; so does a ray that grazes the edge
    np.testing.assert_allclose(found, marched_length(body, view), atol=3 * STEP_CM)


def test_a_slabs_chord_is_its_thickness_over_the_cosine():
    tilt = np.radians(25)
    slab = Slab(np.array([0.0, np.sin(tilt), np.cos(tilt)]), 0.0, 0.5)
    along_z = View(np.array([[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0]]), np.array([-1.0, 0, 1]), np.array([1.0, 0, -1]))
    found = lengths(ellipsoid((0, 0, 0), (90, 90, 90), slab=slab), along_z)
    np.testing.assert_allclose(found, 1.0 / np.cos(tilt), rtol=1e-5)


@given(x=ANGLES, y=ANGLES, z=ANGLES, length=st.floats(2, 9))
@settings(max_examples=40)
def test_a_row_ends_where_the_box_and_the_shadow_say_and_no_ray_beyond_meets_the_body(x, y, z, length):
    view = view_at(x, y, z)
    for body in (rod((1, 1, 1), (1, 1 + length, 3), 0.8), ellipsoid((2, 0, -1), (length, 1, 2), rotation(z, x, y))):
        shadow = shadows([body], [0], [view])
        found = picture(cast(shadow, np.array([0]), 24), view)
        by_shadow = picture(cast(everywhere(shadow), np.array([0]), 24), view)
        np.testing.assert_allclose(found**2, by_shadow**2, rtol=1e-5, atol=1e-4)
        large = ellipsoid((0, 0, 0), (900, 900, 900))  # whose runs are whole rows
        rows = cast(shadows([large], [0], [view]), np.array([0]), 24).runs
        assert (rows.counts == 24).all()
        span = chord(shadow.of(np.zeros(len(rows.body), int)), rows)
        np.testing.assert_allclose(found.ravel() ** 2, span.length() ** 2, rtol=1e-5, atol=1e-4)


@given(tilt=st.floats(5, 40), x=ANGLES, y=ANGLES, z=ANGLES)
@settings(max_examples=40)
@example(tilt=24, x=0, y=90, z=0)  # along the slabs
def test_a_combs_length_is_the_sum_of_its_slabs(tilt, x, y, z):
    normal = np.array([0.0, np.sin(np.radians(tilt)), np.cos(np.radians(tilt))])
    comb, view = Comb(normal, -6.0, 2.5, 0.7, 5), view_at(x, y, z)
    ball = ellipsoid((0.5, 0, -1), (9, 8, 7))
    rays = cast(shadows([ball], [0], [view]), np.array([0]), 24)
    found = picture(rays._replace(span=Span(0, comb_length([comb], [view], rays.runs, [rays.span]))), view)

    def summed(half_cm: float) -> np.ndarray:
        slabs = [Slab(normal, comb.first_cm + number * comb.step_cm, half_cm) for number in range(comb.count)]
        return sum(lengths(ellipsoid((0.5, 0, -1), (9, 8, 7), slab=slab), view) for slab in slabs)

    # 0.1 mm more or less: a ray nearly along the slabs may pass just above one or just below its surface
    assert (found <= summed(comb.half_cm + 0.01) + 0.02).all()
    assert (found >= summed(comb.half_cm - 0.01) - 0.02).all()


def test_bodies_of_several_images_in_one_pass_are_seen_as_each_alone():
    views = [view_at(10, 20, 30), make_view(rotation(-40, 5, 0), 24, 30.0, (1.0, -2.0))]
    bodies = [ellipsoid((1, 0, 2), (4, 3, 2)), rod((-5, 2, -3), (4, -1, 6), 0.9), ellipsoid((0, 2, 0), (5, 5, 5))]
    images = [1, 0, 1]
    rays = cast(shadows(bodies, images, views), np.arange(3), 24)
    for number, (body, image) in enumerate(zip(bodies, images)):
        mine = rays.body == number
        found = np.zeros(2 * 24 * 24)
        found[rays.pixel[mine]] = rays.span.length()[mine]
        np.testing.assert_allclose(found.reshape(2, 24, 24)[image], lengths(body, views[image]), atol=1e-5)
        assert not found.reshape(2, 24, 24)[1 - image].any()
