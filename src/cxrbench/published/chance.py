"""Could a paper's own number of images carry a claim? How likely 'A beats B' is false by the two printed figures alone.

Both settings judge the same n images; of these both get a share right, the congruence, which no paper prints. What is
left over, A alone right or B alone right, decides. With a flat prior over the four cases (both, A, B, neither) the
share of A among the images that only one gets right has the distribution Beta(n(a - c) + 1, n(b - c) + 1), where a and
b are the printed accuracies and c the congruence; the claim is false with the probability that this share is at most a
half. After Christodoulou et al. 2025 (arXiv 2505.04720). A mean over runs is taken as one run's figure.
"""

import numpy as np


def congruences(a: float, b: float) -> tuple[float, float]:
    """The least and the greatest share of images that both can get right where they get the shares ``a`` and ``b``."""
    return max(0.0, a + b - 1), min(a, b)


def false_claim(a: float, b: float, images: int, congruence: float) -> float:
    """The probability that A is not better than B, which got the shares ``a`` and ``b`` of ``images`` right."""
    from scipy.special import betainc

    least, most = congruences(a, b)
    both = min(max(congruence, least), most)
    return float(betainc(images * (a - both) + 1, images * (b - both) + 1, 0.5))


def false_claim_range(a: float, b: float, images: int) -> tuple[float, float]:
    """Least and greatest ``false_claim`` over every congruence that the two figures allow."""
    least, most = congruences(a, b)
    found = [false_claim(a, b, images, both) for both in np.linspace(least, most, 101)]
    return min(found), max(found)


def place(congruence: float, a: float, b: float) -> float:
    """Where a measured congruence lies between the least (0) and the greatest (1) that accuracies a and b allow."""
    least, most = congruences(a, b)
    return (congruence - least) / (most - least) if most > least else 1.0


def at(place: float, a: float, b: float) -> float:
    """The congruence at this place between the least and the greatest that a and b allow."""
    least, most = congruences(a, b)
    return least + place * (most - least)
