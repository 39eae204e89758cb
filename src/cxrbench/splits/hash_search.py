"""Every pair of perceptual hashes within a radius, mirror images included, in memory that does not grow with the pairs.

All pairs are looked at: at a radius above a quarter of the bits an index by parts of the hash (multi-index hashing,
Norouzi et al. 2012) would look at most of them too, and at several instructions each. docs/near-duplicates.md has
the figures.
"""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import product

import numpy as np

from cxrbench.images.perceptual import BITS, WORDS

ROWS, COLUMNS = 256, 8192  # of a tile: two million pairs


def pairs_within(hashes: np.ndarray, radius: int, threads: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Positions i < j, int64 [m] each, of hashes uint64 [n, 4] at most ``radius`` apart, tile after tile.

    Distances are those of ``perceptual.distance``. The order does not depend on ``threads``.
    """
    words = [np.ascontiguousarray(word) for word in hashes.T]
    starts = product(range(0, len(hashes), ROWS), range(0, len(hashes), COLUMNS))
    running: deque[Future[tuple[np.ndarray, np.ndarray]]] = deque()
    with ThreadPoolExecutor(threads) as pool:  # NumPy lets go of the interpreter's lock in each of these loops
        for top, left in starts:
            if left + COLUMNS <= top:
                continue  # all below the diagonal
            running.append(pool.submit(_tile, words, radius, top, left))
            if len(running) > 2 * threads:  # the consumer sets the pace
                yield running.popleft().result()
        while running:
            yield running.popleft().result()


def _tile(words: list[np.ndarray], radius: int, top: int, left: int) -> tuple[np.ndarray, np.ndarray]:
    counts = [np.bitwise_count(word[top : top + ROWS, None] ^ word[None, left : left + COLUMNS]) for word in words]
    same_half, turned_half = sum(counts[1 : WORDS // 2], counts[0]), sum(counts[WORDS // 2 + 1 :], counts[WORDS // 2])
    apart = same_half + np.minimum(turned_half, BITS // 2 - turned_half)  # at most 192: eight bits are enough
    rows, columns = np.divmod(np.flatnonzero(apart <= radius), apart.shape[1])
    rows, columns = rows + top, columns + left
    above = rows < columns
    return rows[above], columns[above]
