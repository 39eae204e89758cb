"""Which images of a cohort are one picture: the same file, or another file of the same exposure.

Hashes name the candidates, pixels decide. A picture that is already known to be one with another is not compared with
it again, so that thousands of copies cost no millions of comparisons; the table holds enough pairs to join each group.
"""

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from cxrbench.base.tables import TABLES
from cxrbench.images import perceptual
from cxrbench.splits.hash_search import pairs_within
from cxrbench.splits.picture_match import ONE_PICTURE, correlations

RADIUS = 72  # bits; docs/near-duplicates.md has recall and candidates by radius
AT_ONCE = 8192  # candidates


def find_duplicates(
    images: pd.DataFrame, squares: Callable[[np.ndarray], np.ndarray], cohort: str, threads: int = 1
) -> pd.DataFrame:
    """The 'duplicates' table of a cohort's images (image_id, sha256, phash).

    ``squares`` gives the pictures at positions int64 [m] of ``images`` as uint8 [m, 64, 64]; it is called where there
    are candidates. Each identical file is paired with the first of its kind, which alone is looked at further.
    """
    names, files = images["image_id"].to_numpy(), images["sha256"].to_numpy()
    order = np.argsort(names, kind="stable")
    _, at, kind = np.unique(files[order], return_index=True, return_inverse=True)
    first = order[at]  # of each distinct file, by name
    copies = np.flatnonzero(first[kind] != order)
    rows = [(names[first[kind[place]]], names[order[place]], "identical file", 0, 1.0, 0) for place in copies]
    distinct = order[np.sort(at)]  # by name, so that the order of the rows makes no difference
    hashes = images["phash"].to_numpy()[distinct]
    for a, b, *how in _verified(hashes, distinct, squares, threads):
        rows.append((names[distinct[a]], names[distinct[b]], "near-duplicate", *how))
    columns = list(TABLES["duplicates"])
    return pd.DataFrame([(cohort, *row) for row in sorted(rows)], columns=columns)


def picture_of(images: pd.DataFrame, duplicates: pd.DataFrame) -> pd.Series:
    """The picture that each image of a cohort shows: the first name among those that pairs join, directly or not."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    index = pd.Index(images["image_id"])
    ends = [index.get_indexer(duplicates[name]) for name in ("image_a", "image_b")]
    known = (ends[0] >= 0) & (ends[1] >= 0)
    edges = coo_array((np.ones(known.sum()), (ends[0][known], ends[1][known])), (len(index), len(index)))
    group = connected_components(edges, directed=False)[1]
    return images["image_id"].groupby(group).transform("min")


def _verified(
    hashes: np.ndarray, positions: np.ndarray, squares: Callable[[np.ndarray], np.ndarray], threads: int
) -> Iterator[tuple[int, int, int, float, int]]:
    """First and second place in ``hashes``, bits apart, correlation, 1 for mirrored; of pairs that are one picture."""
    words = perceptual.parse(list(hashes))
    parent = np.arange(len(words))  # of a forest: two images of one tree are one picture
    for first, second in _batches(pairs_within(words, RADIUS, threads)):
        fresh = _roots(parent, first) != _roots(parent, second)
        first, second = first[fresh], second[fresh]
        apart, mirrored = perceptual.distance(words[first], words[second])
        needed, place = np.unique(np.concatenate([first, second]), return_inverse=True)
        pairs = (place[: len(first)], place[len(first) :], mirrored)
        found = correlations(squares(positions[needed]), pairs, threads) if len(needed) else np.empty(0)
        for at in np.flatnonzero(found >= ONE_PICTURE):
            roots = _roots(parent, np.array([first[at], second[at]]))
            parent[roots.max()] = roots.min()
            yield int(first[at]), int(second[at]), int(apart[at]), float(found[at]), int(mirrored[at])


def _batches(tiles: Iterator[tuple[np.ndarray, np.ndarray]]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The same pairs in the same order, AT_ONCE at a time: a picture is prepared once a batch."""
    waiting, count = [], 0
    for tile in tiles:
        waiting.append(tile)
        count += len(tile[0])
        if count >= AT_ONCE:
            first, second = (np.concatenate(part) for part in zip(*waiting))
            whole = count - count % AT_ONCE
            for start in range(0, whole, AT_ONCE):
                yield first[start : start + AT_ONCE], second[start : start + AT_ONCE]
            waiting, count = [(first[whole:], second[whole:])], count - whole
    if count:
        first, second = (np.concatenate(part) for part in zip(*waiting))
        yield first, second


def _roots(parent: np.ndarray, nodes: np.ndarray) -> np.ndarray:
    roots = parent[nodes]
    while not np.array_equal(higher := parent[roots], roots):
        roots = higher
    return roots
