"""Random changes of training images, on the fly; each image is changed in its own way.

'paper' is the list of Choe and Jo (2020): rotation within 45 degrees, shift in width and height, shear, zoom,
mirroring. Only the rotation has a number there; the other ranges are ours. 'robust' is for images from anywhere: a
map of the same kind that also changes the aspect ratio, then what scanners, archives and people do to a radiograph:
tone, blur, noise, labels, negatives, margins. Its ranges were chosen with benchmarks/view_quality.py.
"""

from collections.abc import Callable
from typing import Any

import keras
from keras import KerasTensor, ops

SHIFT_SHARE = 0.1  # of the image's side
PAPER_ROTATION_DEGREES = 45.0
PAPER_SHEAR = 0.2  # tangent of the angle
PAPER_ZOOM = 0.2  # scale factor 1 - PAPER_ZOOM .. 1 + PAPER_ZOOM

# Of 'robust'. Levels run from 0, black, to 1, white; a share is one of the images.
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


def layer(name: str, seed: int) -> "RandomChange | None":
    """The layer of setting ``augment``; None for 'none'.

    Takes grey images of any number type, [n, h, w, 1] in 0..255, and gives float32 of that shape and range. Layers
    of one seed give the same changes, call after call. Outside training images stay as they are.
    """
    return None if name == "none" else RandomChange(name, seed)


class RandomChange(keras.layers.Layer):
    """Changes each image of a batch in its own way, in training alone; ``name`` is a key of ``CHANGES``."""

    def __init__(self, name: str, seed: int) -> None:
        super().__init__(name=f"augment_{name}", dtype="float32")
        self.change = CHANGES[name]
        self.generator = keras.random.SeedGenerator(seed)

    def call(self, images: KerasTensor, training: bool = False) -> KerasTensor:
        images = ops.cast(images, "float32")
        return self.change(images, _Draws(ops.shape(images)[0], self.generator)) if training else images


class _Draws:
    """Random numbers, one an image."""

    def __init__(self, count: Any, generator: keras.random.SeedGenerator) -> None:
        self.count, self.generator = count, generator

    def between(self, low: float, high: float) -> KerasTensor:
        """[n], uniform."""
        return keras.random.uniform((self.count,), low, high, seed=self.generator)

    def levels(self, low: float, high: float) -> KerasTensor:
        """[n, 1, 1, 1], uniform."""
        return self.between(low, high)[:, None, None, None]

    def happens(self, share: float) -> KerasTensor:
        """[n, 1, 1, 1] of 0 and 1."""
        return ops.cast(self.levels(0, 1) < share, "float32")


def _paper(images: KerasTensor, draws: _Draws) -> KerasTensor:
    scale = draws.between(1 - PAPER_ZOOM, 1 + PAPER_ZOOM)
    return _mapped(images, _maps(images, draws, PAPER_ROTATION_DEGREES, PAPER_SHEAR, scale, scale), "nearest")


def _robust(images: KerasTensor, draws: _Draws) -> KerasTensor:
    wide, high = ops.exp(draws.between(*SCALE)), ops.exp(draws.between(*SCALE))
    maps = _maps(images, draws, ROTATION_DEGREES, SHEAR, wide, high)
    changed = _tone(_mapped(images, maps, "nearest") / 255, draws)
    covered = 1 - draws.happens(MARGIN_SHARE) * (1 - _mapped(ops.ones_like(images), maps, "constant"))
    framed = 1 - draws.happens(FRAME_SHARE) * (1 - _box(images, draws, _sides))
    margin = ops.clip(draws.levels(-2, 2), 0, 1)  # half of them black, a quarter white
    return 255 * (margin + covered * framed * (changed - margin))


def _maps(
    images: KerasTensor, draws: _Draws, degrees: float, most: float, wide: KerasTensor, high: KerasTensor
) -> KerasTensor:
    """[n, 8]: from output pixels back by scale, mirror, rotation, shear and shift around the centre."""
    height, width = images.shape[1], images.shape[2]
    angle = draws.between(-degrees, degrees) * (3.141592653589793 / 180)
    shear = draws.between(-most, most)
    mirror = ops.sign(draws.between(-1, 1) + 1e-9)
    cosine, sine = ops.cos(angle), ops.sin(angle)
    a, b = cosine * mirror / wide, (shear * cosine - sine) / high
    c, d = sine * mirror / wide, (shear * sine + cosine) / high
    middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
    shift_x = middle_x + draws.between(-SHIFT_SHARE, SHIFT_SHARE) * width - a * middle_x - b * middle_y
    shift_y = middle_y + draws.between(-SHIFT_SHARE, SHIFT_SHARE) * height - c * middle_x - d * middle_y
    zero = ops.zeros_like(a)
    return ops.stack([a, b, shift_x, c, d, shift_y, zero, zero], axis=1)


def _mapped(images: KerasTensor, maps: KerasTensor, outside: str) -> KerasTensor:
    return ops.image.affine_transform(images, maps, interpolation="bilinear", fill_mode=outside)


def _tone(images: KerasTensor, draws: _Draws) -> KerasTensor:
    """Labels, gamma, contrast, brightness, blur or sharpening, noise, and a negative of some; levels in and out."""
    for _ in range(LABELS):
        images = images + _box(images, draws, _patch) * (draws.levels(0, 1) - images)
    images = ops.power(ops.clip(images, 1e-3, 1), ops.exp(draws.levels(-GAMMA, GAMMA)))
    images = (images - 0.5) * draws.levels(1 - CONTRAST, 1 + CONTRAST) + 0.5 + draws.levels(-BRIGHTNESS, BRIGHTNESS)
    images = images + draws.levels(-0.5, 1) * (ops.average_pool(images, 3, 1, "same") - images)
    images = images + draws.levels(0, NOISE) * keras.random.normal(ops.shape(images), seed=draws.generator)
    negative = draws.happens(NEGATIVE_SHARE)
    return ops.clip(negative + (1 - 2 * negative) * images, 0, 1)


def _patch(draws: _Draws) -> tuple[KerasTensor, KerasTensor]:
    centre, half = draws.between(0, 1), draws.between(0, LABEL_SIDE)
    return centre - half, centre + half


def _sides(draws: _Draws) -> tuple[KerasTensor, KerasTensor]:
    return draws.between(*FRAME_DEPTH), 1 - draws.between(*FRAME_DEPTH)


def _box(images: KerasTensor, draws: _Draws, ends: Any) -> KerasTensor:
    """[n, h, w, 1]: 1 inside a rectangle whose ``ends`` along an axis are drawn as shares of it, 0 outside."""

    def inside(side: int) -> KerasTensor:
        low, high = ends(draws)
        place = (ops.arange(side, dtype="float32")[None] + 0.5) / side
        return ops.cast((place > low[:, None]) & (place < high[:, None]), "float32")

    return inside(images.shape[1])[:, :, None, None] * inside(images.shape[2])[:, None, :, None]


CHANGES: dict[str, Callable[[KerasTensor, _Draws], KerasTensor]] = {"paper": _paper, "robust": _robust}
