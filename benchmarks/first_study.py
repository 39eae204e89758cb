"""How long the README takes from a clone to a report on one's own folder of images, and from there to a served network.

Draws a folder of radiographs (phantoms, as JPEG of 1,000 px, one or two a patient, a Korean folder name), clones this
checkout, and gives the README's commands one after the other in an environment of its own, with nothing but git, make
and a Python on the PATH. Variables that tell pip and uv of this machine's network are kept. The time to read and
type is not in it.

    python benchmarks/first_study.py [--images 400]
"""

import argparse
import base64
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import requests
from PIL import Image
from serving import answering

ROOT = Path(__file__).parents[1]
NETWORK = ("PIP_", "UV_", "SSL_", "REQUESTS_", "HTTP_", "HTTPS_", "http_", "https_", "NO_PROXY", "no_proxy")
ACTIVATE = "source .venv/bin/activate"
DRAWN_PX, SAVED_PX = 320, (1_000, 900)


def draw_patient(place: Path, finding: str, patient: int) -> None:
    """One image of this patient, or two of every third, below ``place``."""
    from cxrbench.cohorts.phantom.chest import random_person
    from cxrbench.cohorts.phantom.patient import random_study, render

    rng = np.random.default_rng(patient)
    person = random_person(rng)
    taken = [(random_study(person, finding, rng), "PA") for _ in range(1 + (patient % 3 == 0))]
    for number, pixels in enumerate(render(person, taken, DRAWN_PX, rng), start=1):
        large = np.asarray(Image.fromarray(pixels).resize(SAVED_PX)) + rng.normal(0, 3, SAVED_PX[::-1])
        file = place / f"P{patient:05}_{number:02}.jpg"
        Image.fromarray(np.clip(large, 0, 255).astype(np.uint8)).save(file, quality=92)


def draw_folder(folder: Path, images: int) -> None:
    """Half of about so many images in each of two class folders."""
    with ProcessPoolExecutor() as pool:
        for name, finding, first in (("정상", "normal", 1_000), ("폐렴", "pneumonia", 5_000)):
            (folder / name).mkdir(parents=True)
            patients = range(first, first + 3 * images // 8)  # each has 4/3 images
            list(pool.map(draw_patient, *zip(*((folder / name, finding, one) for one in patients)), chunksize=8))


def newcomers(home: Path) -> dict[str, str]:
    """The variables of a shell that has nothing but what the system brings."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(NETWORK)}
    return {**kept, "HOME": str(home), "PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}


def said_in(clone: Path, home: Path, command: str) -> float:
    """Seconds of ``command`` in a new shell, as the README has it; ends this program where it fails."""
    activate = f"{ACTIVATE} && " if (clone / ".venv" / ".ready").exists() else ""
    started = time.monotonic()
    with (home / "said.txt").open("ab") as said:
        done = subprocess.run(
            ["bash", "-c", activate + command], cwd=clone, env=newcomers(home), stdout=said, stderr=said, check=False
        )
    if done.returncode:
        sys.exit(f"{command}\n{(home / 'said.txt').read_text(encoding='utf-8')[-3000:]}")
    return time.monotonic() - started


def first_answer(clone: Path, home: Path, image: Path) -> tuple[float, dict[str, object]]:
    """Seconds until ``cxrbench serve`` has answered about ``image``, and its answer."""
    request = {"dataframe_records": [{"image": base64.b64encode(image.read_bytes()).decode()}]}
    command = ["bash", "-c", f'{ACTIVATE} && exec cxrbench serve mine "$@"', "serve"]
    started = time.monotonic()
    with answering(command, home / "served.txt", cwd=clone, env=newcomers(home)) as address:
        answer = requests.post(address, json=request, timeout=120)
        answer.raise_for_status()
        return time.monotonic() - started, answer.json()["predictions"][0]


def measure(base: Path, wanted: int) -> None:
    """Prints the seconds of each step; all files go below ``base``, an empty folder."""
    home, clone, images = base / "home", base / "cxrbench", base / "흉부 사진"
    home.mkdir(parents=True)
    draw_folder(images, wanted)
    subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
    commands = {
        "environment": "make env",
        "first look": f"cxrbench new {shlex.quote(str(images))}",
        "with patients": f"cxrbench new {shlex.quote(str(images))} --replace --file-names '{{patient}}_*'",
        "git's name": "git config --global user.name Me && git config --global user.email me@example.org",
        "study": "dvc exp run -S data=mine -S grid=mine",
    }
    print(f"{os.cpu_count()} cores, {len(list(images.rglob('*.jpg')))} images, in {base}")
    total = 0.0
    for name, command in commands.items():
        total += (took := said_in(clone, home, command))
        print(f"  {name:14} {took:7.1f} s", flush=True)
    assert (clone / "reports" / "report.html").is_file()
    print(f"from the clone to the report of the study: {total / 60:.1f} min")
    took, answer = first_answer(clone, home, next((images / "폐렴").iterdir()))
    print(
        f"from there to the first answer of its server: {took / 60:.1f} min\n{json.dumps(answer, ensure_ascii=False)}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=400)
    parser.add_argument("--keep", metavar="FOLDER", type=Path, help="leave the clone and its report there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        measure(options.keep or Path(temporary), options.images)


if __name__ == "__main__":
    main()
