"""A small square of an image file, for people to look at: an image that can't be decoded gives its reason instead."""

import base64
from io import BytesIO

import numpy as np
from PIL import Image

from cxrbench.images.decode import Undecodable, load_square

SIZE_PX = 160
JPEG_QUALITY = 72


def thumbnail(path: str) -> np.ndarray | str:
    """uint8 [SIZE_PX, SIZE_PX], 0 black to 255 white, aspect ratio kept; or why the file can't be shown."""
    try:
        return load_square(path, SIZE_PX, "pad")
    except Undecodable as error:
        return error.reason


def data_uri(grey: np.ndarray) -> str:
    """A JPEG of uint8 [height, width] as a data: address that a page can hold."""
    buffer = BytesIO()
    Image.fromarray(grey).save(buffer, "JPEG", quality=JPEG_QUALITY, optimize=True)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
