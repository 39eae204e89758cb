"""Requests a second, and the median and 99th percentile of their time, against a registered model that MLflow serves.

The model is the mean of three small CNNs of random weights (64 px) with a view network, as train-grid registers it; the
images are phantoms of 512 px as PNG and JPEG, and enlarged to 2,500 x 3,000 px as JPEG. Each client sends one request
after the other over loopback. The first requests, while decoders start, are not counted.

    python benchmarks/serving.py [--seconds 20] [--clients 1 4] [--images 1 16]
"""

import argparse
import base64
import io
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import requests
from PIL import Image

SIZE_PX, SEEDS = 64, 3
LARGE_PX = (2_500, 3_000)
WARM = 8  # requests a client sends before its time is taken


def write_networks(folder: Path) -> None:
    from cxrbench.training import backend, models

    backend.start(1)
    for name in (*(f"seed-{seed}" for seed in range(SEEDS)), "trained"):
        models.on_grey(models.build("small_cnn", SIZE_PX, 1, "sigmoid", None, None)).save(folder / f"{name}.keras")


def write_model(home: Path) -> Path:
    """The folder of a registered model; its view network abstains from nothing, so that every image is asked about."""
    import importlib.metadata

    from cxrbench.evaluation.usage import Usage
    from cxrbench.runs import average
    from cxrbench.tracking.logged import Network
    from cxrbench.tracking.model_folder import write_model_folder
    from cxrbench.views import stored

    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        process.submit(write_networks, home).result()
    average.write([home / f"seed-{seed}.keras" for seed in range(SEEDS)], home / "mean.keras")
    loss = "binary_crossentropy"
    view = stored.ViewModel(home / "model.keras", loss, SIZE_PX, "squash", (0.0, 0.0), "random", {})
    stored.save(home / "trained.keras", view)
    usage = Usage(loss, SIZE_PX, "squash", "nothing", "normal", "pneumonia", 0.5, (0.4, 0.6))
    versions = {name: importlib.metadata.version(name) for name in ("keras", "tensorflow")}
    network = Network(home / "mean.keras", {}, {**versions, "backend": "tensorflow"}, usage, view.path)
    write_model_folder(home / "model", network, "0" * 32, f"m-{'0' * 32}")
    return home / "model"


def served(model: Path) -> AbstractContextManager[str]:
    """The address of a server of ``model``."""
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", str(model), "--env-manager", "local"]
    return answering([*command, "--host", "127.0.0.1"], model.parent / "log")


@contextmanager
def answering(command: list[str], log: Path, **more: Any) -> Iterator[str]:
    """The address of the server that ``command`` starts on a free port, once it answers; ``more`` is for Popen."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with log.open("w") as said:
        process = subprocess.Popen(
            [*command, "--port", str(port)], stdout=said, stderr=said, start_new_session=True, **more
        )
    try:
        address = f"http://127.0.0.1:{port}"
        while True:
            if process.poll() is not None:
                sys.exit(log.read_text())
            try:
                requests.get(f"{address}/ping", timeout=5).raise_for_status()
                break
            except requests.RequestException:
                time.sleep(0.3)
        yield f"{address}/invocations"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def images() -> dict[str, bytes]:
    """Name -> the bytes of an image file."""
    from cxrbench.cohorts.phantom.chest import random_person
    from cxrbench.cohorts.phantom.patient import random_study, render

    rng = np.random.default_rng(0)
    person = random_person(rng)
    (pixels,) = render(person, [(random_study(person, "normal", rng), "PA")], 512, rng)
    drawn = Image.fromarray(pixels)
    large = np.asarray(drawn.resize(LARGE_PX)).astype(np.float32) + rng.normal(0, 3.9, LARGE_PX[::-1])
    grainy = Image.fromarray(np.clip(large, 0, 255).astype(np.uint8))
    files = {}
    for name, image, form in (("PNG 512", drawn, "PNG"), ("JPEG 512", drawn, "JPEG"), ("JPEG large", grainy, "JPEG")):
        image.save(file := io.BytesIO(), form, quality=95)
        files[name] = file.getvalue()
    return files


def client(address: str, body: str, seconds: float) -> list[float]:
    """Seconds of each request that this client's time allows."""
    session, took = requests.Session(), []
    headers = {"Content-Type": "application/json"}
    for _ in range(WARM):
        session.post(address, data=body, headers=headers, timeout=120).raise_for_status()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        started = time.perf_counter()
        answer = session.post(address, data=body, headers=headers, timeout=120)
        took.append(time.perf_counter() - started)
        answer.raise_for_status()
        assert answer.json()["predictions"][0]["probability"] is not None, answer.text
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--clients", type=int, nargs="*", default=[1, 4])
    parser.add_argument("--images", type=int, nargs="*", default=[1, 16], help="in a request")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary, served(write_model(Path(temporary))) as address:
        print(f"{os.cpu_count()} cores; {'image':12} {'clients':>8} {'a request':>10} {'requests/s':>11}"
              f" {'images/s':>9} {'p50 ms':>8} {'p99 ms':>8}", flush=True)  # fmt: skip
        for name, data in images().items():
            for count in options.images:
                body = json.dumps({"dataframe_records": [{"image": base64.b64encode(data).decode()}] * count})
                for clients in options.clients:
                    with ThreadPoolExecutor(clients) as pool:
                        ends = [pool.submit(client, address, body, options.seconds) for _ in range(clients)]
                        took = np.array([one for end in ends for one in end.result()])
                    rate = len(took) / options.seconds
                    p50, p99 = 1000 * np.percentile(took, [50, 99])
                    print(f"{'':8} {name:12} {clients:8} {count:10} {rate:11.1f} {rate * count:9.1f}"
                          f" {p50:8.1f} {p99:8.1f}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
