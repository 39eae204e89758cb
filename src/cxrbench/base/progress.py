"""A progress display for what takes over five seconds: a bar on a terminal, one closing line in a pipe."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[int, str], None]]:
    """Yields ``advance(steps, detail)``; ``detail`` says what is under way (a run, an epoch).

    On a terminal it draws a bar with the time left; elsewhere it prints nothing but one line at the end.
    """
    started = time.monotonic()
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[detail]}"),
        )
        with Progress(*columns, console=Console(stderr=True)) as display:
            task = display.add_task(what, total=total, detail="")

            def advance(steps: int = 1, detail: str = "") -> None:
                display.update(task, advance=steps)
                if detail:
                    display.update(task, detail=detail)

            yield advance
    else:

        def silent(steps: int = 1, detail: str = "") -> None:
            pass

        yield silent
    print(f"{what}: {total:,} in {time.monotonic() - started:.1f} s", file=sys.stderr)
