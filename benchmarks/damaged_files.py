"""Damages image files of every kind on purpose and counts what becomes of them: read, rejected and why, crashed, slow.

    nice python benchmarks/damaged_files.py [files, else 20000] [seed, else 1] [folder for the guilty]

Run from the checkout's root. tests/images/test_damaged.py is the same in small. Files on which a decoder crashed or
hung are copied to the folder, where one is given.
"""

import shutil
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # for tests.images, which makes the files

import pydicom.pixels  # noqa: F401  here and the next, so that no file's time holds their import
import scipy.fft  # noqa: F401

from cxrbench.images.examine import examine
from cxrbench.images.limits import Undecodable
from cxrbench.images.parallel import map_files
from tests.images.damage import damaged, whole_files

WORKERS, AT_ONCE = 2, 2_000  # processes; files that lie on the disk at once
NATIVE = ("decoder crashed", "takes too long")


def timed(path: str) -> tuple[str, float]:
    """What became of a file, and in how many seconds of processor time."""
    started = time.process_time()
    seen = examine(path)
    return seen.reason if isinstance(seen, Undecodable) else "read", time.process_time() - started


def batch(wholes: dict[str, bytes], seed: int, numbers: range, guilty: str | None):
    """(kind, harm, number, outcome, seconds) of each damaged file."""
    with tempfile.TemporaryDirectory() as folder:
        paths, origins = [], []
        for number in numbers:
            kind, harm, data = damaged(wholes, seed, number)
            paths.append(f"{folder}/{number}")
            origins.append((kind, harm, number))
            Path(paths[-1]).write_bytes(data)
        for path, origin, seen in zip(paths, origins, map_files(timed, paths, WORKERS)):
            if isinstance(seen, Undecodable):
                print(*origin, seen.reason, seen.detail, flush=True)
                if guilty:
                    shutil.copy(path, guilty)
                seen = (seen.reason, float("nan"))
            yield *origin, *seen


def main() -> None:
    words = dict(enumerate(sys.argv))
    files, seed, guilty = int(words.get(1, 20_000)), int(words.get(2, 1)), words.get(3)
    wholes = whole_files()
    outcomes: dict[str, Counter] = defaultdict(Counter)
    slowest = (0.0, "")
    started = time.monotonic()
    for first in range(0, files, AT_ONCE):
        for kind, harm, number, outcome, seconds in batch(
            wholes, seed, range(first, min(files, first + AT_ONCE)), guilty
        ):
            outcomes[kind][outcome] += 1
            slowest = max(slowest, (seconds, f"{kind}, {harm}, number {number}"))
    total = sum(outcomes.values(), Counter())
    columns = [name for name, _ in total.most_common()]
    print(f"{'':20}" + "".join(f"{name:>17}" for name in columns))
    for kind in (*wholes, "all"):
        counts = total if kind == "all" else outcomes[kind]
        print(f"{kind:20}" + "".join(f"{counts[name]:17,}" for name in columns))
    native = sum(total[name] for name in NATIVE)
    print(
        f"{total.total():,} damaged files of {files:,} (seed {seed}): {total['read']:,} read,"
        f" {total.total() - total['read']:,} rejected, {native} of them for a crash or a hang;"
        f" slowest {slowest[0]:.2f} s of processor time ({slowest[1]}); {time.monotonic() - started:.0f} s in all"
    )


if __name__ == "__main__":
    main()
