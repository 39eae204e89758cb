"""Images with a part blacked out: what a network reaches without a part, it did not need that part for.

A score that stays high without the lungs is a shortcut's (Maguolo & Nanni 2021). The lungs are taken as a box, the
same in every frontal image: simple, stated, and wide enough to hold them whole.
"""

from typing import Protocol

import numpy as np

BOXES = {"nothing": None, "lungs": (0.10, 0.85, 0.06, 0.94)}  # top, bottom, left and right, as shares of the square


class Images(Protocol):
    """What training takes images from: uint8 [n, h, w, 1], by their places."""

    def __getitem__(self, places: int | np.ndarray) -> np.ndarray: ...

    def __len__(self) -> int: ...


class Hidden:
    """``images``, uint8 [n, h, w, 1], with the box ``hidden`` of each at 0; a copy of what is asked for."""

    def __init__(self, images: np.ndarray, hidden: str) -> None:
        self._images, self._box = images, BOXES[hidden]

    def __getitem__(self, places: int | np.ndarray) -> np.ndarray:
        taken = np.array(self._images[places])
        if self._box is not None:
            height, width = taken.shape[-3:-1]
            top, bottom, left, right = self._box
            rows = slice(round(top * height), round(bottom * height))
            taken[..., rows, round(left * width) : round(right * width), :] = 0
        return taken

    def __len__(self) -> int:
        return len(self._images)
