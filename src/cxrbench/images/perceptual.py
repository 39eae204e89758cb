"""A picture's perceptual hash: what stays of it when it is resized, recompressed, brightened, shifted or mirrored.

Chest radiographs resemble each other, and hashes of the usual family, the signs of a picture's low cosine frequencies
(Zauner 2010), lose one that is shifted by a hundredth part sooner than they tell two children apart. So this takes
not a frequency's phase but the difference between the phases of two neighbours, which a shift by a share s of the
picture turns by 2 pi s STEP alone, however high the frequency. docs/near-duplicates.md has the measurements.
"""

import functools
from collections.abc import Sequence

import numpy as np
from PIL import Image

SIDE_PX = 64  # what a picture is reduced to first
STEP = 2  # periods a picture between neighbours: as far apart as the window blurs frequencies
CELLS = tuple((u, v) for u in range(1, 8) for v in range(1, 8) if 2 < u * u + v * v <= 50)  # in steps, down and across
REACH = 8  # steps to the farthest neighbour of a cell
BITS = 8 * len(CELLS)  # 256
WORDS = BITS // 64
MIRRORED = np.array([0, 0, ~np.uint64(0), ~np.uint64(0)], dtype=np.uint64)  # the bits that a mirror turns over


def phash(grey: Image.Image) -> str:
    """64 hexadecimal digits of an image in mode L; zeros for an even one.

    The first half of the bits is the same for the mirror image, the second half is turned over by it.
    """
    reduced = np.asarray(grey.resize((SIDE_PX, SIDE_PX), Image.Resampling.BILINEAR), dtype=np.float64)
    window, turns = _window(), _turns()
    steps = STEP * np.arange(-REACH, REACH + 1)
    spectrum = np.fft.fft2(window * (reduced - (window * reduced).sum()))[np.ix_(steps, steps)] * turns
    middle, (u, v) = REACH, np.array(CELLS).T
    at = spectrum[middle + u, middle + v]
    mirror = spectrum[middle + u, middle - v]  # what the mirror image has at (u, v)
    down = at * spectrum[middle + u + 1, middle + v].conj()
    across = at * spectrum[middle + u, middle + v + 1].conj()
    mirror_down = mirror * spectrum[middle + u + 1, middle - v].conj()
    mirror_across = mirror * spectrum[middle + u, middle - v - 1].conj()
    pairs = np.concatenate([down, across]), np.concatenate([mirror_down, mirror_across])
    values = np.concatenate([pairs[0] + pairs[1], pairs[0] - pairs[1]])
    # The bound keeps an even picture's rounding errors from becoming bits.
    return np.packbits(np.concatenate([part > 1e-9 for part in _halves(values)])).tobytes().hex()


def parse(hashes: Sequence[str]) -> np.ndarray:
    """uint64 [n, 4] of hashes as ``phash`` writes them; ValueError where one is of another length."""
    raw = bytes.fromhex("".join(hashes))
    if any(len(one) != BITS // 4 for one in hashes):
        raise ValueError(f"a perceptual hash has {BITS // 4} digits, not {sorted({len(one) for one in hashes})}")
    return np.frombuffer(raw, dtype=np.uint64).reshape(-1, WORDS)


def distance(one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bits in which hashes uint64 [..., 4] differ, int64 [...]: the lesser of the other's and its mirror image's.

    The second result, bool [...], says where it is the mirror image's.
    """
    differ = np.bitwise_count(one ^ other).astype(np.int64)
    same_half, turned_half = differ[..., : WORDS // 2].sum(axis=-1), differ[..., WORDS // 2 :].sum(axis=-1)
    mirrored = turned_half > BITS // 4
    return same_half + np.where(mirrored, BITS // 2 - turned_half, turned_half), mirrored


def _halves(values: np.ndarray) -> list[np.ndarray]:
    """Real and imaginary parts of the sums, then those of the differences."""
    sums, differences = np.split(values, 2)
    return [sums.real, sums.imag, differences.real, differences.imag]


@functools.cache
def _window() -> np.ndarray:
    """float64 [SIDE_PX, SIDE_PX], of sum 1: Hann's window squared, so that what enters at an edge hardly counts."""
    hann = np.sin(np.pi * (np.arange(SIDE_PX) + 0.5) / SIDE_PX) ** 2
    window = np.outer(hann**2, hann**2)
    return window / window.sum()


@functools.cache
def _turns() -> np.ndarray:
    """complex128 [17, 17]: moves the origin from the corner to the centre, so that mirroring is a change of sign."""
    turn = np.exp(1j * np.pi * STEP * np.arange(-REACH, REACH + 1) * (SIDE_PX - 1) / SIDE_PX)
    return np.outer(turn, turn)
