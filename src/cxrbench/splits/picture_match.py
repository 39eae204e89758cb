"""Whether two pictures are one: the correlation of their details, best over small shifts and enlargements.

Two different chests correlate at 0.9 in what is coarse, for lungs and mediastinum lie alike. So that is left out, and
so is what is finer than a small copy keeps. The window leaves out the edges, where a shift brings in something else.
"""

import functools
from concurrent.futures import ThreadPoolExecutor

import numpy as np

SIDE_PX = 64
COARSEST, FINEST = 8, 26  # periods a picture
REACH_PX = 4.0  # of SIDE_PX: shifts up to 6 %
ONE_PICTURE = 0.94  # correlation from which two pictures are one; docs/near-duplicates.md says why
# Shares that one picture may lack on every side of the other, and the correlation found before that makes it worth
# trying: what a copy with its margins cut off reaches by then.
MARGINS = ((0.03, 0.35), (0.02, 0.8), (0.04, 0.8))
AT_ONCE = 128  # pictures, or pairs, whose numbers fit the processor's cache

Pairs = tuple[np.ndarray, np.ndarray, np.ndarray]  # first, second, whether the second is to be mirrored


def correlations(squares: np.ndarray, pairs: Pairs, threads: int = 1) -> np.ndarray:
    """float32 [m], -1 to 1, of the pairs of positions in ``squares``, uint8 [n, 64, 64]; 0 with an even picture."""
    plain = _spectra(squares)
    best = _peaks(plain, plain, pairs, threads)
    for margin, promising in MARGINS:
        open_ = np.flatnonzero((best >= promising) & (best < ONE_PICTURE))
        if len(open_):
            first, second, mirrored = (values[open_] for values in pairs)
            needed, place = np.unique(np.concatenate([first, second]), return_inverse=True)
            trial = (place[: len(open_)], place[len(open_) :], mirrored)
            enlarged, whole = _spectra(_enlarge(margin) @ squares[needed] @ _enlarge(margin).T), plain[needed]
            again = np.maximum(_peaks(enlarged, whole, trial, threads), _peaks(whole, enlarged, trial, threads))
            best[open_] = np.maximum(best[open_], again)
    return best


def _spectra(squares: np.ndarray) -> np.ndarray:
    """complex64 [n, 53, 27]: frequencies down and across inside the band, of unit energy over the whole plane."""
    from scipy.fft import rfft2

    window, turns = _window(), _turns()
    spectra = np.empty((len(squares), *turns.shape), dtype=np.complex64)
    for start in range(0, len(squares), AT_ONCE):
        values = squares[start : start + AT_ONCE].astype(np.float32)
        values = (values - (values * window).sum(axis=(1, 2), keepdims=True)) * window
        band = rfft2(values)[:, np.arange(-FINEST, FINEST + 1), : FINEST + 1] * turns
        energy = np.sqrt((np.abs(band) ** 2).sum(axis=(1, 2), keepdims=True))
        spectra[start : start + AT_ONCE] = band / np.maximum(energy, 1e-6)
    return spectra


def _peaks(one: np.ndarray, other: np.ndarray, pairs: Pairs, threads: int) -> np.ndarray:
    """float32 [m]: the highest correlation over all shifts within reach, at half a pixel."""
    first, second, mirrored = pairs
    down, across = _shifts()

    def peaks(start: int) -> np.ndarray:
        here = slice(start, start + AT_ONCE)
        others = other[second[here]]
        turned = mirrored[here]
        others[turned] = others[turned, ::-1].conj()  # (u, -v) is the conjugate of (-u, v)
        product = one[first[here]] * others.conj()
        # A stack of small products, each too small for BLAS to spread over threads, which costs more than it gains.
        return np.abs((down @ (product @ across)).real).max(axis=(1, 2))

    with ThreadPoolExecutor(threads) as pool:
        return np.concatenate([np.empty(0, np.float32), *pool.map(peaks, range(0, len(first), AT_ONCE))])


@functools.cache
def _window() -> np.ndarray:
    """float32 [64, 64] of sum 1: Hann's."""
    hann = np.sin(np.pi * (np.arange(SIDE_PX) + 0.5) / SIDE_PX) ** 2
    return np.outer(hann / hann.sum(), hann / hann.sum()).astype(np.float32)


@functools.cache
def _turns() -> np.ndarray:
    """complex64 [53, 27]: what leaves the band, with the origin moved to the centre.

    A column counts for its mirror image, too, which a transform of real numbers leaves out.
    """
    down, across = np.arange(-FINEST, FINEST + 1)[:, None], np.arange(FINEST + 1)[None]
    radius = np.hypot(down, across)
    inside = (radius >= COARSEST) & (radius <= FINEST)
    centred = np.exp(1j * np.pi * (down + across) * (SIDE_PX - 1) / SIDE_PX)
    return (inside * centred * np.where(across == 0, 1, np.sqrt(2))).astype(np.complex64)


@functools.cache
def _shifts() -> tuple[np.ndarray, np.ndarray]:
    """complex64 [17, 53] and [27, 17]: from frequencies to shifts of half a pixel, down and across."""
    shifts_px = np.arange(-REACH_PX, REACH_PX + 0.25, 0.5)
    down = np.exp(2j * np.pi * np.outer(shifts_px, np.arange(-FINEST, FINEST + 1)) / SIDE_PX)
    across = np.exp(2j * np.pi * np.outer(np.arange(FINEST + 1), shifts_px) / SIDE_PX)
    return down.astype(np.complex64), across.astype(np.complex64)


@functools.cache
def _enlarge(margin: float) -> np.ndarray:
    """float32 [64, 64]: brings what lies inside the margin to full size, bilinearly."""
    place = (np.arange(SIDE_PX) + 0.5) * (1 - 2 * margin) + SIDE_PX * margin - 0.5
    left = np.floor(place).astype(int)
    matrix = np.zeros((SIDE_PX, SIDE_PX), dtype=np.float32)
    matrix[np.arange(SIDE_PX), left] = 1 - (place - left)
    matrix[np.arange(SIDE_PX), left + 1] = place - left
    return matrix
