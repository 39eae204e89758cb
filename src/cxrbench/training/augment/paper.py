"""The list of Choe and Jo (2020): rotation within 45 degrees, shift in width and height, shear, zoom, mirroring.

Only the rotation has a number there; the other ranges are ours.
"""

from keras import KerasTensor

from cxrbench.training.draws import Draws
from cxrbench.training.geometry import backward_maps, mapped

ROTATION_DEGREES = 45.0
SHEAR = 0.2  # tangent of the angle
ZOOM = 0.2  # scale factor 1 - ZOOM .. 1 + ZOOM


def change(images: KerasTensor, draws: Draws) -> KerasTensor:
    scale = draws.between(1 - ZOOM, 1 + ZOOM)
    return mapped(images, backward_maps(images, draws, ROTATION_DEGREES, SHEAR, scale, scale), "nearest")
