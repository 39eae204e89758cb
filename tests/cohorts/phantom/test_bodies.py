import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from cxrbench.cohorts.phantom.bodies import along, chain, rotation

ANGLE = st.floats(-180, 180)


@given(ANGLE, ANGLE, ANGLE)
def test_a_rotation_turns_about_x_then_y_then_z(x, y, z):
    expected = Rotation.from_euler("xyz", [x, y, z], degrees=True).as_matrix()
    np.testing.assert_allclose(rotation(x, y, z), expected, atol=1e-12)


@given(ANGLE, ANGLE)
def test_axes_along_a_line_are_orthonormal_and_end_with_it(x, y):
    axis = rotation(x, y, 0)[:, 0]
    axes = along(axis[None])[0]
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(axes[2], axis, atol=1e-12)


def test_a_chain_joins_each_point_to_the_next():
    points = np.array([[0.0, 0, 0], [0, 0, 4], [3, 0, 4]])
    rods = chain(points, 0.2)
    np.testing.assert_allclose([body.centre_cm for body in rods], [[0, 0, 2], [1.5, 0, 4]])
    np.testing.assert_allclose([body.half_box_cm[2] for body in rods], [2.0, 1.5])
