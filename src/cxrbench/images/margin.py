"""What a picture betrays without being looked at closely: how bright it is and how wide a margin surrounds it."""

import numpy as np

TOLERANCE = 8  # grey levels; what JPEG leaves of an even margin
STRAY = 0.01  # share of a line that may be off: ringing where the picture begins, a speck
MEASURED_PX = 256  # of a larger image so many rows or columns of its short side are looked at, evenly spaced


def brightness(grey: np.ndarray) -> float:
    """Mean of a uint8 image [height, width], 0 black to 255 white."""
    return float(grey.mean())


def border(grey: np.ndarray) -> float:
    """Share of the area, 0 to 1, that ``inside`` cuts off a uint8 image [height, width]."""
    step = max(1, min(grey.shape) // MEASURED_PX)
    seen = grey[::step, ::step]
    left, top, right, bottom = inside(seen)
    return 1 - (right - left) * (bottom - top) / seen.size


def inside(grey: np.ndarray) -> tuple[int, int, int, int]:
    """Left, top, right and bottom, in pixels, of what a uniform margin leaves of a uint8 image [height, width].

    From each edge in turn (top, right, bottom, left), lines (rows or columns of what is left) belong to the margin as
    long as 99 % of their pixels lie within 8 grey levels of the median of the outermost line. So a letterbox and a
    frame count whole, a margin with a letter in it as far as the letter, and an even picture is all margin.
    """
    rest, cut = grey, []
    for _ in range(4):
        cut.append(_margin_rows(rest))
        rest = rest[cut[-1] :].T[::-1]  # the next edge is turned to the top
    top, right, bottom, left = cut
    return left, top, grey.shape[1] - right, grey.shape[0] - bottom


def _margin_rows(rest: np.ndarray) -> int:
    """How many rows from the top on are margin."""
    if not rest.size:
        return 0
    edge, allowed = rest[0], int(STRAY * rest.shape[1])
    low = max(0, int(np.sort(edge)[len(edge) // 2]) - TOLERANCE)
    # Eight bits wrap round, so that one comparison finds what is below ``low``, too.
    if np.count_nonzero((edge - low) > 2 * TOLERANCE) > allowed:  # most pictures have no margin: seen at once
        return 0
    picture = ((rest - low) > 2 * TOLERANCE).sum(axis=1) > allowed
    return int(picture.argmax()) if picture.any() else len(rest)
