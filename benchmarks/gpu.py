"""Seconds an epoch of the batch-size comparison on this machine's accelerator, beside those of the paper.

Kim and Ye (2021), Table 2: 2,930 images to train and 2,426 to validate, 224 px, batch sizes 4 to 32, 200 epochs, three
runs each. The images here are noise: what an epoch costs does not depend on what they show. Each batch size is timed
in a process of its own; with JAX after a first round in which all of them compile at once.

    KERAS_BACKEND=torch python benchmarks/gpu.py --precision mixed_bfloat16
    KERAS_BACKEND=torch python benchmarks/gpu.py --steps        # a step by itself, in a minute: called and recorded
    KERAS_BACKEND=jax python benchmarks/gpu.py --beside 1 2 3   # the same run so many times at once
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cxrbench.training.backend import backend_name

PAPER_SECONDS = {4: 76.33, 8: 60.67, 16: 52.0, 32: 48.67}
RUNS, EPOCHS = 3, 200
STEPS = 20  # of one timing
IMAGES = {"train": 2_930, "validation": 2_426}


def epochs(options: argparse.Namespace, batch_size: int) -> list[float]:
    """Seconds of each epoch in this process; the first one compiles."""
    from cxrbench.training import backend

    backend.start(threads=4)
    import numpy as np
    import pandas as pd

    from cxrbench.runs.job import Job
    from cxrbench.training.fit import time_epochs

    rng = np.random.default_rng(0)
    count = sum(IMAGES.values())
    with tempfile.TemporaryDirectory() as folder:
        array = Path(folder) / "noise.npy"
        np.save(array, rng.integers(0, 256, (count, options.px, options.px, 1), dtype="uint8"))
        names = [str(place) for place in range(count)]
        parts = [part for part, images in IMAGES.items() for _ in range(images)]
        rows = pd.DataFrame({"source": "noise", "image_id": names, "patient_id": names, "part": parts})
        rows = rows.assign(target=rng.integers(0, 2, count), index=range(count))
        setting = {
            "model": options.model, "image_size": options.px, "padding": None, "loss": "binary_crossentropy",
            "precision": options.precision, "optimizer": "adam", "hide": "nothing", "augment": "none", "lr": 0.001,
            "balance": False, "batch_size": batch_size, "epochs": options.epochs, "checkpoint": "last",
        }  # fmt: skip
        started = time.monotonic()

        def on_epoch(epoch: int) -> None:
            told = f"batch size {batch_size}: epoch {epoch} ended after {time.monotonic() - started:.1f} s"
            print(told, file=sys.stderr, flush=True)

        return time_epochs(Job("timed", setting, 0, rows, array, "noise"), on_epoch)


def print_steps(options: argparse.Namespace) -> None:
    """Milliseconds of a step under PyTorch, called as it is and recorded as a CUDA graph, and what an epoch takes."""
    from cxrbench.training import backend

    backend.start(threads=4)
    import numpy as np
    import torch

    from cxrbench.training.trainer import traced

    trainer = traced(options.model, options.px, None, "binary_crossentropy", options.precision, "adam", "none")
    if not trainer.steps._records:
        sys.exit(
            "no step of this network is recorded here; a GPU, PyTorch and an optimizer that it can record are needed"
        )
    rng = np.random.default_rng(0)

    def seconds_a_step(batch_size: int, recorded: bool) -> float:
        trainer.steps._records = recorded
        count = batch_size * STEPS
        images = rng.integers(0, 256, (count, options.px, options.px, 1), dtype="uint8")
        labels = rng.integers(0, 2, (count, 1)).astype("float32")
        trainer.epoch(images, np.arange(batch_size), labels[:batch_size], batch_size, (0, 1))  # records, or warms up
        torch.cuda.synchronize()
        started = time.monotonic()
        trainer.epoch(images, np.arange(count), labels, batch_size, (0, 1))
        torch.cuda.synchronize()
        return (time.monotonic() - started) / STEPS

    images = np.zeros((512, options.px, options.px, 1), "uint8")
    trainer.predict(images, np.arange(256))
    started = time.monotonic()
    trainer.predict(images, np.arange(512))
    validation = IMAGES["validation"] * (time.monotonic() - started) / 512
    print(f"{options.model}, {options.px} px, {options.precision}, {torch.cuda.get_device_name()}")
    print("| batch size | ms a step, called | recorded | s an epoch, recorded, with validation | in the paper |")
    print("|---:|---:|---:|---:|---:|")
    for size in options.batch_sizes:
        called, recorded = (seconds_a_step(size, how) for how in (False, True))
        epoch = recorded * IMAGES["train"] / size + validation
        cells = f"{1000 * called:.1f} | {1000 * recorded:.1f} | {epoch:.1f} | {PAPER_SECONDS.get(size, '-')}"
        print(f"| {size} | {cells} |", flush=True)


def side_by_side(arguments: list[str], batch_sizes: list[int]) -> list[list[float]]:
    """Seconds of each epoch of a process for each of ``batch_sizes``, all at once."""
    command = [sys.executable, __file__, *arguments, "--one"]
    processes = [subprocess.Popen([*command, str(size)], stdout=subprocess.PIPE, text=True) for size in batch_sizes]
    outputs = [process.communicate()[0] for process in processes]
    if any(process.returncode for process in processes):
        sys.exit("a process failed; its reason is above")
    return [json.loads(output.splitlines()[-1]) for output in outputs]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="xception")
    parser.add_argument("--px", type=int, default=224)
    parser.add_argument("--precision", default="float32", choices=("float32", "mixed_bfloat16"))
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=list(PAPER_SECONDS))
    parser.add_argument("--beside", type=int, nargs="+", default=[], help="so many runs of each batch size at once")
    parser.add_argument("--steps", action="store_true", help="a step by itself, under PyTorch")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(epochs(options, options.one)))
        return
    if options.steps:
        print_steps(options)
        return
    arguments = sys.argv[1:]
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", tempfile.mkdtemp())
    print(f"{options.model}, {options.px} px, {options.precision}, {backend_name()}", flush=True)
    if backend_name() == "jax":
        started = time.monotonic()
        side_by_side(arguments, options.batch_sizes)
        print(f"compiled in {time.monotonic() - started:.0f} s", flush=True)
    print("| batch size | s an epoch in the paper | s an epoch here | ratio | hours of 3 runs of 200 epochs |")
    print("|---:|---:|---:|---:|---:|")
    hours = 0.0
    for size in options.batch_sizes:
        (seconds,) = side_by_side(arguments, [size])
        here, paper = min(seconds[1:]), PAPER_SECONDS.get(size)
        hours += here * RUNS * EPOCHS / 3600
        told = f"{paper} | {here:.2f} | {here / paper:.3f}" if paper else f"- | {here:.2f} | -"
        print(f"| {size} | {told} | {here * RUNS * EPOCHS / 3600:.2f} |", flush=True)
    print(f"all, one after the other: {hours:.2f} hours; the paper's {sum(PAPER_SECONDS.values()) / 6:.1f}")
    for count in options.beside:
        for size in options.batch_sizes:
            each = side_by_side(arguments, [size] * count)
            here = max(min(seconds[1:]) for seconds in each) / count
            print(f"batch size {size}, {count} at once: {here:.2f} s an epoch of each on average", flush=True)


if __name__ == "__main__":
    main()
