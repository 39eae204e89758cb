"""Which of an image's values become black and white, where a file does not say so.

Each image's own, because files of 10, 12 and 16 used bits all call themselves 16-bit.
"""

import numpy as np

STRAY = 0.1  # per cent of the pixels at each end that may lie far off: dead detectors, a letter
FAR = 4  # how many times wider they make the range of all others
LOOKED_AT_PX = 512  # on the short side: a sample by which stray pixels are recognised


def black_and_white(values: np.ndarray, image: np.ndarray | None = None) -> tuple[float, float]:
    """The least and the greatest of values [height, width] where ``image``, bool, is true; 0 and 0 where nowhere.

    Where a few stray pixels would leave all others less than a quarter of that range, it is the range of the others.
    """
    inside = values if image is None else values[image]
    if not inside.size:
        return 0.0, 0.0
    low, high = float(inside.min()), float(inside.max())
    step = max(1, min(values.shape) // LOOKED_AT_PX)
    sample = values[::step, ::step]
    if image is not None:
        sample = sample[image[::step, ::step]]
    if sample.size:
        inner_low = float(np.percentile(sample, STRAY, method="higher"))
        inner_high = float(np.percentile(sample, 100 - STRAY, method="lower"))
        if inner_low < inner_high and (inner_high - inner_low) * FAR < high - low:
            return inner_low, inner_high
    return low, high
