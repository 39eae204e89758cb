"""What the processes of test_parallel do: 'spawn' imports it by name."""

import os
import signal
import threading
import time
from multiprocessing import connection


def double(number):
    return 2 * number


def misbehave(word):
    """Does what the word says, and answers with it where it can."""
    if word == "segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif word == "exit 0":
        os._exit(0)
    elif word == "out of memory":
        os.kill(os.getpid(), signal.SIGKILL)
    elif word == "hang":
        threading.Event().wait()
    elif word == "hang in C":
        signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals) - {signal.SIGKILL})
        threading.Event().wait()
    elif word == "die while answering":
        connection.Connection._send = die_half_way
        return b"x" * 100_000
    elif word == "raise":
        raise ValueError("no such thing")
    return word


def die_half_way(self, data, write=os.write):
    write(self.fileno(), bytes(data)[: len(data) // 2])
    os.kill(os.getpid(), signal.SIGKILL)


def crash_once(path):
    """The innocent: killed at its first turn, as by the system in need of memory."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return "fine"
    os.kill(os.getpid(), signal.SIGKILL)


def note_and_wait(path):
    """Says that it has begun and never ends."""
    with open(f"{path}-{os.getpid()}", "w"):
        pass
    while True:
        time.sleep(60)


def die_drawing(patient, root, kind, size, seed):
    os.kill(os.getpid(), signal.SIGKILL)


def examine_but_crash_on_seven(path):
    if path.endswith("07.png"):
        os.kill(os.getpid(), signal.SIGSEGV)
    from cxrbench.images.examine import examine

    return examine(path)


def leave():
    os._exit(9)


class Unborn:
    """A function that ends the process that is to receive it."""

    def __reduce__(self):
        return leave, ()
