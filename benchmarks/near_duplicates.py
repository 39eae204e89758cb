"""How many planted copies are found as near-duplicates, and how long the search takes among 100,000 images.

    nice python benchmarks/near_duplicates.py [FOLDER of images, else phantoms] [hashes, else 100000]

Run from the checkout's root; about a minute on two cores. Copies are those of tests/splits/planted.py. Hashes are
drawn three ways: clustered (those of the pictures with a fifth of the bits flipped), uniform, and uniform with 5,000
that are the same.
"""

import resource
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # for tests.splits, which makes the copies

import numpy as np
import pandas as pd

from cxrbench.images.decode import decode
from cxrbench.images.perceptual import BITS, distance, parse
from cxrbench.splits.hash_search import pairs_within
from cxrbench.splits.near_duplicates import RADIUS, find_duplicates
from cxrbench.splits.picture_match import ONE_PICTURE, correlations
from tests.splits.planted import COPIES, HARD, look, phantoms

PICTURES, MIMIC_CXR, THREADS = 300, 377_110, 2
PART_BITS = 16  # of an index by parts of the hash


def recall(pictures) -> None:
    hashes, squares = look(pictures)
    hashes, count = parse(hashes), len(pictures)
    print("\n| copy | hash within radius | found | correlation, 5th percentile |\n|---|---|---|---|")
    for kind, copy in {**COPIES, **HARD}.items():
        copied, copied_squares = look([copy(picture) for picture in pictures])
        apart, mirrored = distance(hashes, parse(copied))
        pairs = (np.arange(count), np.arange(count) + count, mirrored)
        found = correlations(np.concatenate([squares, copied_squares]), pairs)
        near = apart <= RADIUS
        whole = (near & (found >= ONE_PICTURE)).mean()
        print(f"| {kind} | {near.mean():.1%} | {whole:.1%} | {np.quantile(found, 0.05):.2f} |")


def unlike(pictures) -> None:
    """How near different pictures come, by radius, and what an index by parts would have to look at."""
    hashes = parse(look(pictures)[0])
    one, other = np.triu_indices(len(hashes), 1)
    apart = distance(hashes[one], hashes[other])[0]
    parts = hashes.view(np.uint16)
    each = np.bitwise_count(parts[one] ^ parts[other]) <= RADIUS * PART_BITS // BITS
    print(f"\n{len(apart):,} pairs of different pictures: median {np.median(apart):.0f} of {BITS} bits apart;")
    print(", ".join(f"{(apart <= r).mean():.1e} within {r}" for r in (56, 64, RADIUS, 80)))
    print(f"an index by {BITS // PART_BITS} parts would look at {each.any(axis=1).mean():.0%} of them, mirrors apart")


def search(name: str, hashes: np.ndarray) -> None:
    started = time.perf_counter()
    pairs = sum(len(first) for first, _ in pairs_within(hashes, RADIUS, THREADS))
    seconds = time.perf_counter() - started
    whole = seconds * (MIMIC_CXR / len(hashes)) ** 2
    print(
        f"| {name} | {len(hashes):,} | {seconds:.1f} | {pairs:,} | {peak_mib():,.0f} | {whole / 60:.1f} |", flush=True
    )


def hostile(picture, copies: int = 5_000) -> None:
    """Copies that differ as files and by nothing else: every pair is a candidate."""
    hashes, squares = look([picture])
    names = [f"{number:05}" for number in range(copies)]
    images = pd.DataFrame({"image_id": names, "sha256": names, "phash": hashes * copies})
    started = time.perf_counter()
    found = find_duplicates(images, lambda at: np.repeat(squares, len(at), axis=0), "hostile", THREADS)
    seconds = time.perf_counter() - started
    print(f"\n{copies:,} copies of one picture: {len(found):,} pairs join them, {seconds:.1f} s, {peak_mib():,.0f} MiB")


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    rng = np.random.default_rng(0)
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
    if len(sys.argv) > 1:
        files = sorted(path for path in Path(sys.argv[1]).rglob("*") if path.suffix in (".jpeg", ".jpg", ".png"))
        pictures = [decode(files[at]) for at in rng.permutation(len(files))[:PICTURES]]
    else:
        pictures = phantoms(PICTURES)
    print(f"{len(pictures)} pictures; radius {RADIUS} of {BITS} bits, correlation from {ONE_PICTURE}")
    recall(pictures)
    unlike(pictures)
    uniform = rng.integers(0, 2**64, (count, BITS // 64), dtype=np.uint64)
    flips = np.packbits(rng.random((count, BITS)) < 0.2, axis=1).view(np.uint64)
    clustered = parse(look(pictures)[0])[rng.integers(0, len(pictures), count)] ^ flips
    same = uniform.copy()
    same[rng.permutation(count)[:5_000]] = same[0]
    print(
        f"\n| hashes | n | seconds | candidate pairs | peak MiB | minutes at {MIMIC_CXR:,} |\n|---|---|---|---|---|---|"
    )
    for name, hashes in (("clustered", clustered), ("uniform", uniform), ("5,000 the same", same)):
        search(name, hashes)
    hostile(pictures[0])


if __name__ == "__main__":
    main()
