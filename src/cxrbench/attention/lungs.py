"""The part of the attention that lies inside the lungs, and a picture of it.

The lungs are the box that the setting ``hide: lungs`` blacks out, the same in every frontal image.
"""

from io import BytesIO

import numpy as np
from PIL import Image

from cxrbench.training.hide import Hidden

COLOUR = (255, 106, 0)
STRONGEST = 0.6  # share of the colour where the attention is highest
BOX_GREY = 200
JPEG_QUALITY = 80


def inside(size_px: int) -> np.ndarray:
    """bool [size_px, size_px]: the pixels of the lungs' box, as ``hide: lungs`` takes them."""
    white = np.full((1, size_px, size_px, 1), 255, "uint8")
    return Hidden(white, "lungs")[0][..., 0] == 0


def spread(cells: np.ndarray, size_px: int) -> np.ndarray:
    """``cells``, float32 [rows, columns], as float32 [size_px, size_px]: bilinear, as the paper shows its maps."""
    return np.asarray(Image.fromarray(cells.astype("float32")).resize((size_px, size_px), Image.Resampling.BILINEAR))


def share(cells: np.ndarray, size_px: int) -> float:
    """Which part of the attention ``cells``, [rows, columns] >= 0, lies in the lungs' box; NaN where there is none."""
    shown = spread(cells, size_px).astype("float64")
    total = shown.sum()
    return float(shown[inside(size_px)].sum() / total) if np.isfinite(total) and total > 0 else float("nan")


def picture(grey: np.ndarray, cells: np.ndarray) -> bytes:
    """A JPEG of uint8 [size, size] with the attention over it in orange and the lungs' box as a line."""
    shown = spread(cells, len(grey))
    strength = STRONGEST * shown / shown.max() if shown.max() > 0 else np.zeros_like(shown)
    mixed = grey[..., None] * (1 - strength[..., None]) + np.array(COLOUR) * strength[..., None]
    box = inside(len(grey))
    edge = box & ~(np.roll(box, 1, 0) & np.roll(box, -1, 0) & np.roll(box, 1, 1) & np.roll(box, -1, 1))
    mixed[edge] = BOX_GREY
    buffer = BytesIO()
    Image.fromarray(mixed.round().astype("uint8")).save(buffer, "JPEG", quality=JPEG_QUALITY, optimize=True)
    return buffer.getvalue()
