"""Which perceptual hash finds copies of a radiograph among radiographs: signs of cosine frequencies, or ours.

    nice python benchmarks/hash_families.py FOLDER of images

Run from the checkout's root; about 2 minutes for 5,856 images of 224 px on two cores. Each hash gets the radius within
which a share of 3e-5 of all pairs of different files lie, mirror images included; the table says what share of planted
copies (tests/splits/planted.py) lie within it.
"""

import hashlib
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # for tests.splits, which makes the copies

import numpy as np
from PIL import Image
from scipy.fft import dctn

from cxrbench.images.decode import decode
from cxrbench.images.perceptual import phash
from tests.splits.planted import COPIES, HARD

SHARE, COPIED = 3e-5, 300
KINDS = {
    **{name: COPIES[name] for name in ("a third of the size", "JPEG, quality 30", "gamma 1.5", "mirrored")},
    **{name: COPIES[name] for name in ("shifted 2 % both ways", "shifted 4 % across", "3 % black border")},
    **{name: HARD[name] for name in ("shifted 4 % both ways", "histogram equalised", "4 % cropped all round")},
}


def cosines(side: int, about_median: bool, picture: Image.Image) -> np.ndarray:
    """bool [side * side - 1]: signs of the lowest cosine frequencies without the mean (Zauner 2010)."""
    low = dctn(np.asarray(picture.resize((32, 32), Image.Resampling.BILINEAR), dtype="float32"), norm="ortho")
    values = low[:side, :side].ravel()[1:]
    return values > (np.median(values) if about_median else 0)


def ours(picture: Image.Image) -> np.ndarray:
    """bool [256]."""
    return np.unpackbits(np.frombuffer(bytes.fromhex(phash(picture)), dtype=np.uint8)).astype(bool)


HASHES: dict[str, Callable[[Image.Image], np.ndarray]] = {
    "cosines, 8 x 8": partial(cosines, 8, False),
    "cosines, 12 x 12": partial(cosines, 12, False),
    "cosines, 16 x 16": partial(cosines, 16, False),
    "cosines, 16 x 16, about the median": partial(cosines, 16, True),
    "relative phases": ours,
}


def looked_at(path: str) -> tuple[str, list[np.ndarray], list[np.ndarray]]:
    """The file's sha256, and each hash of its picture and of the mirror image."""
    picture = decode(path)
    mirrored = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    both = [[one(image) for one in HASHES.values()] for image in (picture, mirrored)]
    return hashlib.sha256(Path(path).read_bytes()).hexdigest(), both[0], both[1]


def main() -> None:
    paths = sorted(str(path) for path in Path(sys.argv[1]).rglob("*") if path.suffix in (".jpeg", ".jpg", ".png"))
    with ProcessPoolExecutor(2) as pool:
        files, plain, mirrored = zip(*pool.map(looked_at, paths, chunksize=64))
    _, at = np.unique(files, return_index=True)
    chosen = np.random.default_rng(0).permutation(at)[:COPIED]
    pictures = [decode(paths[one]) for one in chosen]
    print(f"{len(at):,} different files\n\n| hash | bits | radius | {' | '.join(KINDS)} |")
    print("|" + "---|" * (3 + len(KINDS)))
    for number, (name, hash_of) in enumerate(HASHES.items()):
        one, other = (np.stack([row[number] for row in rows]).astype("float32") * 2 - 1 for rows in (plain, mirrored))
        bits = one.shape[1]
        apart = (bits - np.maximum(one[at] @ one[at].T, one[at] @ other[at].T)) / 2
        counts = np.bincount(apart[np.triu_indices(len(at), 1)].astype(int), minlength=bits).cumsum()
        radius = int(np.searchsorted(counts, SHARE * counts[-1], side="right")) - 1
        shares = []
        for copy in KINDS.values():
            copied = np.stack([hash_of(copy(picture)) for picture in pictures]).astype("float32") * 2 - 1
            alike = np.maximum((copied * one[chosen]).sum(axis=1), (copied * other[chosen]).sum(axis=1))
            shares.append(f"{((bits - alike) / 2 <= radius).mean():.0%}")
        print(f"| {name} | {bits} | {radius} | {' | '.join(shares)} |", flush=True)


if __name__ == "__main__":
    main()
