"""A progress display for what takes over five seconds: a bar on a terminal, a line a minute in a pipe."""

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator

LINE_SECONDS = 60.0  # between two lines in a pipe


@contextlib.contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[int, str], None]]:
    """Yields ``advance(steps, detail)``; ``detail`` says what is under way (a run, an epoch).

    On a terminal it draws a bar with the time left; elsewhere it prints a line a minute, also where nothing advances,
    and everywhere one at the end.
    """
    started = time.monotonic()
    display = _bar(what, total) if sys.stderr.isatty() else _lines(what, total, started)
    with display as advance:
        yield advance
    print(f"{what}: {total:,} in {time.monotonic() - started:.1f} s", file=sys.stderr, flush=True)


@contextlib.contextmanager
def _bar(what: str, total: int) -> Iterator[Callable[[int, str], None]]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[detail]}"),
    )
    # Over all that was done, not over the last moments: epochs of one grid differ in length.
    with Progress(*columns, console=Console(stderr=True), speed_estimate_period=3600) as display:
        task = display.add_task(what, total=total, detail="")

        def advance(steps: int = 1, detail: str = "") -> None:
            display.update(task, advance=steps)
            if detail:
                display.update(task, detail=detail)

        yield advance


@contextlib.contextmanager
def _lines(what: str, total: int, started: float) -> Iterator[Callable[[int, str], None]]:
    done, under_way = 0, ""
    ended = threading.Event()

    def advance(steps: int = 1, detail: str = "") -> None:
        nonlocal done, under_way
        done, under_way = done + steps, detail or under_way

    def tell() -> None:
        while not ended.wait(LINE_SECONDS):
            print(_line(what, done, total, time.monotonic() - started, under_way), file=sys.stderr, flush=True)

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield advance
    finally:
        ended.set()
        teller.join()


def _line(what: str, done: int, total: int, seconds: float, under_way: str) -> str:
    """How far, since when, how long still, and what was finished last."""
    left = f"{_duration(seconds * (total - done) / done)} left" if done else "time left unknown"
    return f"{what}: {done:,} of {total:,} in {_duration(seconds)}, {left}" + (
        f"; last {under_way}" if under_way else ""
    )


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
