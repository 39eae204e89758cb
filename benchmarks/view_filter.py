"""Images a second of `cxrbench views`, beside the bare decode loop, its limit, and beside what Keras alone offers.

The images are 2,500 x 3,000 px grey JPEGs of about 2.4 MB: phantoms drawn at 512 px, enlarged, with white noise in
place of a radiograph's grain (SD 3.9 of 255, quality 95), 200 of them and hard links to those. All are read once
beforehand, so the disk is left out. Every round runs, one after the other,

  decode   Pillow's draft decoding at an eighth of the size, in as many processes as there are workers, nothing else
  bare     (a) the same and the reduction to 64 x 64
  views    (b) the command `cxrbench views` as a whole, on a third of the files and on all: the further files over
           the further seconds are its steady state, without the start of Python and TensorFlow
  keras    (c) image_dataset_from_directory(image_size=(64, 64), color_mode="grayscale", batch_size=32) and
           model.predict, without the start of TensorFlow

and the medians over rounds are printed with the medians of the rounds' ratios. Then the peak resident memory of the
command, summed over its processes, on 2,000 and on 20,000 files. The networks' weights are random.

(a) over (c) is the most that any reader through libjpeg can gain: the Huffman codes of a baseline JPEG have to be read
at every scale, and on these files they take 20 ms of the 23 ms that decoding in full takes.

    python benchmarks/view_filter.py [--files 3000] [--rounds 3] [--workers 2] [--memory 2000 20000]
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

WIDTH_PX, HEIGHT_PX, SIZE_PX = 2_500, 3_000, 64
DISTINCT = 200
NOISE, QUALITY = 3.9, 95
SPAWN = get_context("spawn")


def write_image(number: int, folder: Path) -> int:
    """Writes one grainy phantom; its bytes."""
    from cxrbench.cohorts.phantom.chest import random_person
    from cxrbench.cohorts.phantom.patient import random_study, render

    rng = np.random.default_rng(number)
    person = random_person(rng)
    (drawn,) = render(person, [(random_study(person, "normal", rng), ("PA", "LATERAL")[number % 2])], 512, rng)
    smooth = Image.fromarray(drawn).resize((WIDTH_PX, HEIGHT_PX), Image.Resampling.BICUBIC)
    grainy = np.asarray(smooth, np.float32)
    grainy = grainy + NOISE * rng.standard_normal(grainy.shape, dtype=np.float32)
    path = folder / f"{number:06}.jpg"
    Image.fromarray(np.clip(grainy, 0, 255).astype(np.uint8)).save(path, quality=QUALITY)
    return path.stat().st_size


def write_model(path: Path) -> None:
    """The mean of three view networks of random weights, and the file that says how to use it."""
    from cxrbench.runs import average
    from cxrbench.training import backend, models
    from cxrbench.views import stored

    backend.start(1)
    seeds = [path.with_name(f"seed-{seed}.keras") for seed in range(3)]
    for one in seeds:
        models.on_grey(models.build("small_cnn", SIZE_PX, 1, "sigmoid", None, None)).save(one)
    trained = path.with_name("trained.keras")
    average.mean_of(seeds).save(trained)
    stored.save(trained, stored.ViewModel(path, "binary_crossentropy", SIZE_PX, "squash", (0.1, 0.9), "random", {}, ""))


def linked(images: Path, folder: Path, count: int) -> Path:
    """``folder`` with ``count`` hard links to the images, below one sub-folder, as Keras wants it."""
    (folder / "all").mkdir(parents=True)
    sources = sorted(images.iterdir())
    for number in range(count):
        os.link(sources[number % len(sources)], folder / "all" / f"{number:06}.jpg")
    return folder


def bare(path: str, resize: bool) -> None:
    image = Image.open(path)
    image.draft("L", (2 * SIZE_PX, 2 * SIZE_PX))
    image.load()
    if resize:
        image.resize((SIZE_PX, SIZE_PX), Image.Resampling.BILINEAR)


def bare_seconds(folder: Path, workers: int, resize: bool) -> float:
    paths = [str(path) for path in sorted((folder / "all").iterdir())]
    with SPAWN.Pool(workers) as pool:
        pool.map(partial(bare, resize=resize), paths[: 4 * workers], chunksize=1)  # started
        started = time.monotonic()
        for _ in pool.imap_unordered(partial(bare, resize=resize), paths, chunksize=8):
            pass
        return time.monotonic() - started


def views(folder: Path, model: Path, workers: int, memory: bool = False) -> tuple[float, float]:
    """Seconds of the command and, where asked, its peak resident MiB."""
    command = [sys.executable, "-m", "cxrbench.cli", "views", str(folder), "--out", str(folder.parent / "views.csv")]
    command += ["--model", str(model), "--workers", str(workers)]
    started, peak_bytes = time.monotonic(), 0
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    while memory and process.poll() is None:
        peak_bytes = max(peak_bytes, resident_bytes(process.pid))
        time.sleep(0.2)
    said, _ = process.communicate()
    seconds = time.monotonic() - started
    if process.returncode:
        sys.exit(said)
    return seconds, peak_bytes / 2**20


def resident_bytes(pid: int) -> int:
    total = 0
    for member in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
        try:
            total += member.memory_info().rss
        except psutil.Error:
            continue
    return total


def keras_seconds(folder: Path, model: Path) -> float:
    """What a user would write, the default number of threads."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # "Found n files."
    os.dup2(1, 2)  # TensorFlow's words as it starts
    import keras

    network = keras.models.load_model(model)
    network.predict(np.zeros((32, SIZE_PX, SIZE_PX, 1)), verbose=0)
    started = time.monotonic()
    images = keras.utils.image_dataset_from_directory(
        folder, labels=None, image_size=(SIZE_PX, SIZE_PX), color_mode="grayscale", batch_size=32, shuffle=False
    )
    network.predict(images, verbose=0)
    return time.monotonic() - started


def apart(function, *arguments):
    """``function`` in a fresh process."""
    with ProcessPoolExecutor(1, mp_context=SPAWN) as pool:
        return pool.submit(function, *arguments).result()


def one_round(few: Path, many: Path, counts: tuple[int, int], model: Path, workers: int) -> dict[str, float]:
    """Images a second of each contender."""
    some, all_files = counts
    rates = {
        "decode": some / bare_seconds(few, workers, resize=False),
        "bare": some / bare_seconds(few, workers, resize=True),
        "keras": some / apart(keras_seconds, few, model),
    }
    short, long = views(few, model, workers)[0], views(many, model, workers)[0]
    rates |= {"views": all_files / long, "views, steady": (all_files - some) / (long - short)}
    return rates | {"bare, again": some / bare_seconds(few, workers, resize=True)}


def compare(images: Path, home: Path, model: Path, files: int, rounds: int, workers: int) -> None:
    counts = (files // 3, files)
    few, many = (linked(images, home / name, count) for name, count in zip(("few", "many"), counts))
    found = [one_round(few, many, counts, model, workers) for _ in range(rounds)]
    limit = [(one["bare"] + one["bare, again"]) / 2 for one in found]
    print(f"{'images a second':28} {'median':>8} {'over (a)':>9} {'over (c)':>9}   rounds")
    titles = {
        "decode": "decode only", "bare": "(a) bare decode loop", "bare, again": "(a) again, after the others",
        "views": f"(b) command on {files:,}", "views, steady": "(b) steady state",
        "keras": "(c) Keras's own loader",
    }  # fmt: skip
    for name, title in titles.items():
        rates = [one[name] for one in found]
        ratios = [np.median([rate / other for rate, other in zip(rates, others)])
                  for others in (limit, [one["keras"] for one in found])]  # fmt: skip
        print(f"{title:28} {np.median(rates):8.1f} {ratios[0]:9.2f} {ratios[1]:9.2f}   "
              + " ".join(f"{rate:.1f}" for rate in rates), flush=True)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=3_000)
    parser.add_argument("--rounds", type=int, default=3, help="0: memory alone")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--memory", type=int, nargs="*", default=[2_000, 20_000], metavar="FILES")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary)
        (home / "images").mkdir()
        with SPAWN.Pool(options.workers) as pool:
            sizes = pool.map(partial(write_image, folder=home / "images"), range(min(DISTINCT, options.files)))
        print(f"{len(sizes)} images of {WIDTH_PX:,} x {HEIGHT_PX:,} px, {np.mean(sizes) / 1e6:.2f} MB each;"
              f" {options.workers} workers, {os.cpu_count()} cores", flush=True)  # fmt: skip
        model = home / "model.keras"
        apart(write_model, model)
        if options.rounds:
            compare(home / "images", home, model, options.files, options.rounds, options.workers)
        for count in options.memory:
            folder = linked(home / "images", home / f"memory-{count}", count)
            seconds, mebibytes = views(folder, model, options.workers, memory=True)
            print(f"{count:,} files: peak {mebibytes:,.0f} MiB, {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main()
