"""How far runs are, as they are trained: one progress display over the epochs of all."""

import contextlib
import sys
from collections.abc import Iterator, Mapping, Sequence

from cxrbench.base.progress import progress
from cxrbench.runs.driver import OnEpoch, OnFailure, OnRun
from cxrbench.runs.job import Job


@contextlib.contextmanager
def watched(
    what: str, jobs: Sequence[Job], titles: Mapping[str, str], on_run: OnRun
) -> Iterator[tuple[OnEpoch, OnRun, OnFailure]]:
    """Yields what a driver calls, to show how far ``jobs`` are and which failed; ``on_run`` is called too.

    A run that is tried again counts on from the furthest epoch that it ever reached, one that ends early or was
    trained elsewhere counts whole.
    """
    epochs = {job.run: job.setting["epochs"] for job in jobs}
    reached = dict.fromkeys(epochs, 0)
    with progress(what, sum(epochs.values())) as advance:

        def on_epoch(run: str, epoch: int) -> None:
            advance(max(0, epoch - reached[run]), f"{titles[run]}, epoch {epoch}")
            reached[run] = max(reached[run], epoch)

        def arrived(run: str) -> None:
            advance(epochs[run] - reached[run], "")
            on_run(run)

        def failed(run: str, reason: str) -> None:
            print(
                f"{titles[run]} failed: {reason}; the others go on, then it is tried again", file=sys.stderr, flush=True
            )

        yield on_epoch, arrived, failed
