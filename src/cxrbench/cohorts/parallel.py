"""One function over many image files, in processes of their own, in order and in bounded memory."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TypeVar

from cxrbench.errors import CxrbenchError

Result = TypeVar("Result")
CHUNK = 64  # files handed to a process at once
WORTH_A_POOL = 512  # below this many files, starting processes takes longer than the work


def map_files(function: Callable[[str], Result], paths: Sequence[str], workers: int) -> Iterator[Result]:
    """``function`` of each path, in their order; raises CxrbenchError where a process is killed."""
    if workers == 1 or len(paths) < WORTH_A_POOL:
        yield from map(function, paths)
        return
    try:
        # 'spawn': a forked copy of a process that has threads may hang.
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            yield from pool.map(function, paths, chunksize=CHUNK)
    except BrokenProcessPool:
        raise CxrbenchError(
            f"a process that decodes images was killed, {workers} ran side by side; lower workers and run again"
        ) from None
