"""Work in a process of its own that never outlives the one that started it, however that ends."""

import ctypes
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import ParamSpec, TypeVar

PR_SET_PDEATHSIG = 1  # Linux, <sys/prctl.h>

Given = ParamSpec("Given")
Result = TypeVar("Result")


def in_own_process(function: Callable[Given, Result], *given: Given.args, **named: Given.kwargs) -> Result:
    """What ``function`` gives of these arguments, in a fresh process: what it imports stays out of this one.

    Raises what ``function`` raises, and BrokenProcessPool where the process ends before it has answered.
    """
    alone = get_context("spawn")  # a forked copy of a process that has threads may hang
    with ProcessPoolExecutor(1, mp_context=alone, initializer=end_with, initargs=(os.getpid(),)) as process:
        return process.submit(function, *given, **named).result()


def end_with(parent: int) -> None:
    """Has this process end when ``parent`` dies: by the kernel, at any moment, on Linux; elsewhere within a second."""
    try:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    except (AttributeError, OSError):
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    if os.getppid() != parent:
        os._exit(1)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)
