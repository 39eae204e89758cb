"""The search finds what comparing each pair by itself finds, in any number of tiles and threads."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxrbench.images.perceptual import distance
from cxrbench.splits import hash_search
from cxrbench.splits.hash_search import pairs_within


def clustered(n, clusters, flips, seed):
    """Hashes with ``flips`` of their bits turned over at random, around a few centres."""
    rng = np.random.default_rng(seed)
    centres = rng.integers(0, 2**64, (clusters, 4), dtype=np.uint64)
    noise = np.packbits(rng.random((n, 256)) < flips, axis=1).view(np.uint64)
    return centres[rng.integers(0, clusters, n)] ^ noise


def found(hashes, radius, threads=2):
    return sorted((int(i), int(j)) for pair in pairs_within(hashes, radius, threads) for i, j in zip(*pair))


@settings(max_examples=60)
@given(
    st.integers(0, 120),
    st.integers(1, 5),
    st.floats(0, 0.5),
    st.integers(0, 128),
    st.integers(0, 99),
    st.integers(1, 3),
)
def test_the_search_finds_what_comparing_each_pair_finds(n, clusters, flips, radius, seed, threads):
    hashes = clustered(n, clusters, flips, seed)
    one, other = np.triu_indices(n, 1)
    near = distance(hashes[one], hashes[other])[0] <= radius
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hash_search, "ROWS", 16)
        patch.setattr(hash_search, "COLUMNS", 48)
        assert found(hashes, radius, threads) == list(zip(one[near].tolist(), other[near].tolist()))


def test_tiles_of_the_real_size_cover_each_pair_once():
    hashes = np.repeat(clustered(1, 1, 0, 0), 700, axis=0)
    pairs = found(hashes, 0)
    assert len(pairs) == len(set(pairs)) == 700 * 699 // 2


def test_a_mirror_image_is_found():
    hashes = clustered(2, 2, 0.5, 3)
    hashes[1] = hashes[0] ^ np.array([0, 0, ~np.uint64(0), ~np.uint64(0)], dtype=np.uint64)
    assert found(hashes, 0) == [(0, 1)]
