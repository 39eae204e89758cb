"""Which conditions change a bit of a run's scores: every model, loss and augmentation, as a Markdown table.

    nice python benchmarks/determinism.py [name of a row ...]

A cell is 'same', or how many of the 64 scores of validation and test differ. Each condition has processes of its own,
which train all rows one after the other: 96 noisy squares, 32 of them in training, 2 epochs of 16 images a step.
'Other work' is two processes that compute without a pause. On the backend that KERAS_BACKEND names, and on a GPU where
there is one; with TF_DETERMINISTIC_OPS=1 TensorFlow takes its deterministic operations, and the last line says what
they cost.
"""

import contextlib
import sys
import tempfile
import time
from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd

from cxrbench.base.tables import read_table
from cxrbench.config.setting import AUGMENTS, LOSSES, MODELS, Setting, replace
from cxrbench.reporting.text_tables import markdown_rows
from cxrbench.runs.job import Job

IMAGES, SIDES_PX = 96, {"xception": 71, "inception_v3": 75}
TINY = Setting(model="quick_cnn", epochs=2, batch_size=16)
# A condition -> the processes that train side by side, their threads, and whether the machine has other work.
CONDITIONS = {
    "1 thread": (1, 1, False),
    "again": (1, 1, False),
    "a third time": (1, 1, False),
    "2 workers": (2, 1, False),
    "busy": (1, 1, True),
    "2 threads": (1, 2, False),
    "2 threads again": (1, 2, False),
    "2 threads busy": (1, 2, True),
    "4 threads": (1, 4, False),
}
# A column -> the condition that is compared, and those that should give its bits.
COLUMNS = {
    "three repeats": ("1 thread", ["again", "a third time"]),
    "2 workers": ("1 thread", ["2 workers"]),
    "beside other work": ("1 thread", ["busy"]),
    "2 threads, repeated": ("2 threads", ["2 threads again"]),
    "2 threads, beside other work": ("2 threads", ["2 threads busy"]),
    "2 threads against 1": ("1 thread", ["2 threads"]),
    "4 threads against 2": ("2 threads", ["4 threads"]),
}


def rows() -> dict[str, Setting]:
    """The name of each row and its setting; a row differs from the first in one thing."""
    models = {
        name: replace(TINY, {"model": name, "image_size": SIDES_PX.get(name, 64), "padding": padding})
        for name in MODELS
        for padding in [1 if name == "covid_cnn" else None]
    }
    losses = {name: replace(TINY, {"loss": name}) for name in LOSSES if name != TINY.loss}
    augments = {f"augment {name}": replace(TINY, {"augment": name}) for name in AUGMENTS if name != TINY.augment}
    return {**models, **losses, **augments}


def job(setting: Setting, folder: Path) -> Job:
    """A run on noisy squares, half of them with a bright spot."""
    rng, target, side = np.random.default_rng(0), np.arange(IMAGES) % 2, setting.image_size
    squares = rng.integers(0, 120, (IMAGES, side, side, 1)).astype("uint8")
    squares[target == 1, 16:48, 16:48] += 110
    np.save(folder / "images.npy", squares)
    table = pd.DataFrame({"source": "a", "image_id": [f"i{n:02}" for n in range(IMAGES)], "patient_id": "p"})
    table = table.assign(part=np.repeat(["train", "validation", "test"], IMAGES // 3), target=target)
    return Job("run", setting.model_dump(), 0, table.assign(index=range(IMAGES)), folder / "images.npy", "data")


def train_rows(folder: Path, names: list[str], threads: int) -> None:
    """Trains the rows into folders of their names; in a process of its own."""
    from cxrbench.training import backend

    backend.start(threads)
    from cxrbench.training.fit import train

    for name in names:
        written = folder / name
        written.mkdir(parents=True)
        train(job(rows()[name], written), written, None, lambda epoch: None, workers=1, threads=threads)
        (written / "model.keras").unlink()


def compute() -> None:
    """Other work: products of matrices without an end."""
    matrix = np.ones((512, 512))
    while True:
        matrix = matrix @ matrix / 512


@contextlib.contextmanager
def other_work(wanted: bool) -> Iterator[None]:
    busy = [get_context("spawn").Process(target=compute, daemon=True) for _ in range(2 * wanted)]
    for process in busy:
        process.start()
    try:
        yield
    finally:
        for process in busy:
            process.kill()


def train_under(condition: str, folder: Path, names: list[str]) -> None:
    side_by_side, threads, busy = CONDITIONS[condition]
    started = time.monotonic()
    with other_work(busy):
        workers = [
            get_context("spawn").Process(target=train_rows, args=(folder / condition / str(number), names, threads))
            for number in range(side_by_side)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    if any(worker.exitcode for worker in workers):
        raise SystemExit(f"a process of {condition!r} failed")
    print(f"{condition}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)


def scores(folder: Path, condition: str, name: str) -> list[np.ndarray]:
    """The scores of row ``name`` of each process of a condition."""
    files = sorted((folder / condition).glob(f"*/{name}/scores.csv"))
    return [read_table(file, "scores")["score"].to_numpy() for file in files]


def cell(folder: Path, column: str, name: str) -> str:
    reference, others = COLUMNS[column]
    wanted = scores(folder, reference, name)[0]
    differing = max(int((found != wanted).sum()) for other in others for found in scores(folder, other, name))
    return f"{differing} of {len(wanted)}" if differing else "same"


def main() -> None:
    names = sys.argv[1:] or list(rows())
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for condition in CONDITIONS:
            train_under(condition, folder, names)
        cells = [[name, *(cell(folder, column, name) for column in COLUMNS)] for name in names]
        print(markdown_rows(["", *COLUMNS], cells, ()))
        last = [read_table(folder / "1 thread" / "0" / name / "history.csv", "history").iloc[-1] for name in names]
        print(f"The second epochs of all rows took {sum(epoch['seconds'] for epoch in last):.2f} s, alone on 1 thread.")


if __name__ == "__main__":
    main()
