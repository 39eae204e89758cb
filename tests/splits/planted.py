"""Copies of a picture as archives hold them, and phantoms to copy.

Shared by test_near_duplicates.py and benchmarks/near_duplicates.py.
"""

import io

import numpy as np
from PIL import Image, ImageOps

from cxrbench.cohorts.phantom.chest import random_person
from cxrbench.cohorts.phantom.patient import random_study, render
from cxrbench.images.perceptual import phash
from cxrbench.splits.picture_match import SIDE_PX


def phantoms(count, size_px=224, seed=0):
    """Frontal radiographs of as many different persons, mode L."""
    made = []
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        person = random_person(rng)
        study = random_study(person, ("normal", "pneumonia")[number % 2], rng)
        made.append(Image.fromarray(render(person, [(study, "PA")], size_px, rng)[0]))
    return made


def look(pictures):
    """Hashes, and squares uint8 [n, 64, 64], of images in mode L."""
    bilinear = Image.Resampling.BILINEAR
    squares = [np.asarray(picture.resize((SIDE_PX, SIDE_PX), bilinear)) for picture in pictures]
    return [phash(picture) for picture in pictures], np.stack(squares)


def resized(factor):
    return lambda image: image.resize([max(1, round(side * factor)) for side in image.size], Image.Resampling.LANCZOS)


def recompressed(quality):
    def copy(image):
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality)
        return Image.open(buffer).convert("L")

    return copy


def regraded(curve):
    """``curve`` maps grey, 0 to 1."""
    return lambda image: image.point([round(255 * min(1, max(0, curve(grey / 255)))) for grey in range(256)])


def shifted(across, down, fill=0):
    """By shares of the picture; what enters at the edge is ``fill``."""

    def copy(image):
        canvas = Image.new("L", image.size, fill)
        canvas.paste(image, (round(across * image.width), round(down * image.height)))
        return canvas

    return copy


def cropped(left, top, right, bottom):
    return lambda image: image.crop(
        [round(x * side) for x, side in zip((left, top, 1 - right, 1 - bottom), 2 * image.size)]
    )


def framed(share, fill):
    return lambda image: ImageOps.expand(image, round(share * image.width), fill)


def turned(degrees):
    return lambda image: image.rotate(degrees, Image.Resampling.BILINEAR)


def several(*steps):
    def copy(image):
        for step in steps:
            image = step(image)
        return image

    return copy


brighter = regraded(lambda grey: 1.15 * grey)
COPIES = {  # what near-duplicates are meant to be
    "half the size": resized(1 / 2),
    "a third of the size": resized(1 / 3),
    "JPEG, quality 95": recompressed(95),
    "JPEG, quality 30": recompressed(30),
    "brighter by 15 %": brighter,
    "darker by 30 %": regraded(lambda grey: 0.7 * grey),
    "gamma 0.7": regraded(lambda grey: grey**0.7),
    "gamma 1.5": regraded(lambda grey: grey**1.5),
    "contrast 1.4": regraded(lambda grey: 0.5 + 1.4 * (grey - 0.5)),
    "contrast 0.6": regraded(lambda grey: 0.5 + 0.6 * (grey - 0.5)),
    "shifted 2 % both ways": shifted(0.02, -0.02),
    "shifted 4 % across": shifted(0.04, 0),
    "shifted 4 % down": shifted(0, 0.04),
    "mirrored": ImageOps.mirror,
    "2 % cropped all round": cropped(0.02, 0.02, 0.02, 0.02),
    "4 % cropped left and below": cropped(0.04, 0, 0, 0.04),
    "3 % black border": framed(0.03, 0),
    "3 % white border": framed(0.03, 255),
    "mirrored, half, JPEG 50, brighter": several(ImageOps.mirror, resized(1 / 2), recompressed(50), brighter),
    "shifted 3 %, gamma 0.7, JPEG 60": several(shifted(0.03, -0.03), regraded(lambda g: g**0.7), recompressed(60)),
    "mirrored, shifted 4 %, third": several(ImageOps.mirror, shifted(0.04, 0.02), resized(1 / 3)),
}
HARD = {  # what costs a part of them, or all
    "brighter by 30 %, white clipped": regraded(lambda grey: 1.3 * grey),
    "histogram equalised": ImageOps.equalize,
    "shifted 4 % both ways": shifted(-0.04, 0.04),
    "4 % cropped all round": cropped(0.04, 0.04, 0.04, 0.04),
    "6 % black border": framed(0.06, 0),
    "turned by 2 degrees": turned(2),
    "turned by 5 degrees": turned(5),
    "negative": ImageOps.invert,
}
