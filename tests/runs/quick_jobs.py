"""Jobs that train nothing, and what worker processes do with them: 'spawn' imports it by name."""

import json
import os
import signal
import threading
import time
from multiprocessing import connection
from pathlib import Path

import pandas as pd

from cxrbench.base.files import write_text
from cxrbench.base.tables import TABLES, write_table
from cxrbench.runs.job import Job


def job(run, log, do="train", model="a", epochs=2, images=4):
    """``log``: a file that gets a line for each begin of a run, and what ``do`` needs beside it."""
    rows = pd.DataFrame({"part": ["train"] * images})
    setting = {"epochs": epochs, "batch_size": 2, "model": model, "do": do, "threads": 1}
    return Job(run, setting, 0, rows, Path(log), "data")


def write_run(folder, run, alone=False):
    """The files of a run, as training writes them."""
    scores = pd.DataFrame([("a", "i", "p", "test", 1, 0.5)], columns=list(TABLES["scores"]))
    write_table(folder / "scores.csv", scores, "scores")
    history = pd.DataFrame([(1, 0.6, 0.7, 0.5, 0.9, 2.0)], columns=list(TABLES["history"]))
    write_table(folder / "history.csv", history, "history")
    (folder / "model.keras").write_text(f"model of {run}")
    record = {"run": run, "status": "ok", "timing": {"alone": alone, "machine": "this one"}}
    write_text(folder / "run.json", json.dumps(record))


def quickly(workers, threads):
    """The work of a worker that needs no Keras."""
    return behave


def unable(workers, threads):
    raise ImportError("libcudart.so is not there")


def still_born(workers, threads):
    os.kill(os.getpid(), signal.SIGKILL)


def behave(job, written, checkpoint, on_epoch):
    note(job.array, f"{job.run} {os.getpid()}\n")
    word = job.setting["do"]
    if word == "fail once":
        word = "raise" if first_time(job) else "train"
    if word == "die once":
        word = "out of memory" if first_time(job) else "train"
    for epoch in range(1, job.setting["epochs"] + 1):
        if epoch == 2 and word in ENDS:
            ENDS[word]()
        if word == "wait":
            while job.array.with_name("hold").exists():
                time.sleep(0.01)
        time.sleep(0.02)
        on_epoch(epoch)
    if word != "write nothing":
        write_run(written, job.run)


def note(path, line):
    with open(path, "a") as file:
        file.write(line)


def begun(log):
    """The runs that were begun, in their order."""
    return [line.split()[0] for line in Path(log).read_text().splitlines()]


def first_time(job):
    try:
        os.close(os.open(f"{job.array}-{job.run}", os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True


def die_half_way(self, data, write=os.write):
    write(self.fileno(), bytes(data)[: len(data) // 2])
    os.kill(os.getpid(), signal.SIGKILL)


def die_while_telling():
    connection.Connection._send = die_half_way


class Unpicklable(Exception):
    def __init__(self):
        super().__init__("can't be pickled")
        self.lock = threading.Lock()


class Unspeakable(Exception):
    def __str__(self):
        raise RuntimeError("no words")


def raises(error):
    def call():
        raise error

    return call


def deep(depth=400):
    return deep(depth - 1) if depth else raises(ValueError("x" * 100_000))()


ENDS = {
    "raise": raises(ValueError("no such\nthing")),
    "raise what can't be pickled": raises(Unpicklable()),
    "raise what can't be said": raises(Unspeakable()),
    "raise at length": deep,
    "exit": raises(SystemExit(3)),
    "leave": lambda: os._exit(0),
    "segfault": lambda: os.kill(os.getpid(), signal.SIGSEGV),
    "out of memory": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "die while telling": die_while_telling,
    "full disk": raises(OSError(28, "No space left on device")),
}
