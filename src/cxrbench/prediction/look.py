"""One image as each network is to see it."""

import dataclasses

import numpy as np

from cxrbench.evaluation.usage import Usage
from cxrbench.images.decode import load_square
from cxrbench.images.limits import Undecodable
from cxrbench.prediction.model import Model


@dataclasses.dataclass(frozen=True)
class Shapes:
    """How large the squares are and how an image is resized, for the study's network and for the view network."""

    size_px: int
    resize: str
    view_px: int = 0  # 0: the view is not checked
    view_resize: str = ""

    @property
    def square_bytes(self) -> int:
        """Of the squares of one image."""
        return self.size_px**2 + self.view_px**2


@dataclasses.dataclass(frozen=True, slots=True)
class Look:
    """An image decoded for both networks, each at the scale that it learnt from."""

    square: np.ndarray  # uint8 [size_px, size_px], 0 black to 255 white
    view: np.ndarray  # uint8 [view_px, view_px]; empty where the view is not checked


def shapes_of(model: Model) -> Shapes:
    usage: Usage = model.usage
    if model.view is None:
        return Shapes(usage.image_size, usage.resize)
    return Shapes(usage.image_size, usage.resize, model.view.image_size, model.view.resize_for(None))


def look(path: str, shapes: Shapes) -> Look | Undecodable:
    """The image in the file ``path``, or why it cannot be used."""
    try:
        square = load_square(path, shapes.size_px, shapes.resize)
        if not shapes.view_px:
            return Look(square, np.empty((0, 0), np.uint8))
        if (shapes.view_px, shapes.view_resize) == (shapes.size_px, shapes.resize):
            return Look(square, square)
        return Look(square, load_square(path, shapes.view_px, shapes.view_resize))
    except Undecodable as refusal:
        return refusal
