"""A picture's perceptual hash: what stays of it when it is resized, recompressed or brightened.

The signs of its lowest cosine frequencies without the mean, so the hash of the mirror image or the negative follows
from the hash itself (Zauner 2010 describes the family, which takes a median where this takes zero).
"""

import numpy as np
from PIL import Image

SIDE_PX = 32  # what a picture is reduced to first
FREQUENCIES = 8  # lowest in each direction
BITS = FREQUENCIES * FREQUENCIES


def phash(grey: Image.Image) -> str:
    """16 hexadecimal digits of an image in mode L."""
    from scipy.fft import dctn

    reduced = np.asarray(grey.resize((SIDE_PX, SIDE_PX), Image.Resampling.BOX), dtype=np.float32)
    low = dctn(reduced, norm="ortho")[:FREQUENCIES, :FREQUENCIES]
    low[0, 0] = 0  # the mean is brightness
    return np.packbits(low.ravel() > 0).tobytes().hex()
