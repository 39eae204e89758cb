"""For images from anywhere: what scanners, archives and people do to a radiograph.

A map of the same kind as the paper's that also changes the aspect ratio, then tone, blur, noise, labels, negatives,
margins. The ranges were chosen with benchmarks/view_quality.py.
"""

from typing import Any

import keras
from keras import KerasTensor, ops

from cxrbench.training.draws import Draws
from cxrbench.training.geometry import backward_maps, mapped

# Levels run from 0, black, to 1, white; a share is one of the images.
ROTATION_DEGREES = 20.0
SHEAR = 0.1  # tangent of the angle
SCALE = (-0.5, 0.2)  # natural logarithm of the scale factor, drawn for width and height each
MARGIN_SHARE = 0.6  # what a map leaves empty is a margin of one level; else the image's edge goes on
FRAME_SHARE = 0.3  # a margin lies over the image's sides
FRAME_DEPTH = (-0.15, 0.25)  # of the side; below 0: no margin there
GAMMA = 0.4  # natural logarithm of the exponent
CONTRAST = 0.3  # slope 1 - CONTRAST .. 1 + CONTRAST
BRIGHTNESS = 0.1  # level added
NOISE = 0.04  # standard deviation in levels, at most
NEGATIVE_SHARE = 0.2
LABELS = 2  # patches such as a letter or a name leaves
LABEL_SIDE = 0.1  # half the longest side of a patch, as a share of the image's side


def change(images: KerasTensor, draws: Draws) -> KerasTensor:
    wide, high = ops.exp(draws.between(*SCALE)), ops.exp(draws.between(*SCALE))
    maps = backward_maps(images, draws, ROTATION_DEGREES, SHEAR, wide, high)
    changed = _tone(mapped(images, maps, "nearest") / 255, draws)
    covered = 1 - draws.happens(MARGIN_SHARE) * (1 - mapped(ops.ones_like(images), maps, "constant"))
    framed = 1 - draws.happens(FRAME_SHARE) * (1 - _box(images, draws, _sides))
    margin = ops.clip(draws.levels(-2, 2), 0, 1)  # half of them black, a quarter white
    return 255 * (margin + covered * framed * (changed - margin))


def _tone(images: KerasTensor, draws: Draws) -> KerasTensor:
    """Labels, gamma, contrast, brightness, blur or sharpening, noise, and a negative of some; levels in and out."""
    for _ in range(LABELS):
        images = images + _box(images, draws, _patch) * (draws.levels(0, 1) - images)
    images = ops.power(ops.clip(images, 1e-3, 1), ops.exp(draws.levels(-GAMMA, GAMMA)))
    images = (images - 0.5) * draws.levels(1 - CONTRAST, 1 + CONTRAST) + 0.5 + draws.levels(-BRIGHTNESS, BRIGHTNESS)
    images = images + draws.levels(-0.5, 1) * (ops.average_pool(images, 3, 1, "same") - images)
    images = images + draws.levels(0, NOISE) * keras.random.normal(ops.shape(images), seed=draws.generator)
    negative = draws.happens(NEGATIVE_SHARE)
    return ops.clip(negative + (1 - 2 * negative) * images, 0, 1)


def _patch(draws: Draws) -> tuple[KerasTensor, KerasTensor]:
    centre, half = draws.between(0, 1), draws.between(0, LABEL_SIDE)
    return centre - half, centre + half


def _sides(draws: Draws) -> tuple[KerasTensor, KerasTensor]:
    return draws.between(*FRAME_DEPTH), 1 - draws.between(*FRAME_DEPTH)


def _box(images: KerasTensor, draws: Draws, ends: Any) -> KerasTensor:
    """[n, h, w, 1]: 1 inside a rectangle whose ``ends`` along an axis are drawn as shares of it, 0 outside."""

    def inside(side: int) -> KerasTensor:
        low, high = ends(draws)
        place = (ops.arange(side, dtype="float32")[None] + 0.5) / side
        return ops.cast((place > low[:, None]) & (place < high[:, None]), "float32")

    return inside(images.shape[1])[:, :, None, None] * inside(images.shape[2])[:, None, :, None]
