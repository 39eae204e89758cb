"""Wall time and memory of the whole pipeline from nothing, and of a repeated `dvc repro` that has nothing to do.

Clones this checkout into an empty folder and runs DVC there with this environment. Memory is the sum of the
resident sets of all its processes, sampled four times a second; what they share counts more than once.

    python benchmarks/pipeline.py [-S KEY=VALUE ...]     e.g. -S data=tiny
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]


def measured(command: list[str], folder: Path) -> tuple[float, float]:
    """Seconds and peak resident MiB of ``command`` and all its children."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    started, peak_bytes = time.monotonic(), 0
    with (folder.parent / "log.txt").open("ab") as log:
        process = subprocess.Popen(command, cwd=folder, env={**os.environ, "PATH": path}, stdout=log, stderr=log)
        while process.poll() is None:
            peak_bytes = max(peak_bytes, resident_bytes(process.pid))
            time.sleep(0.25)
    if process.returncode:
        sys.exit((folder.parent / "log.txt").read_text(encoding="utf-8")[-3000:])
    return time.monotonic() - started, peak_bytes / 2**20


def resident_bytes(pid: int) -> int:
    total = 0
    try:
        family = psutil.Process(pid)
        for process in [family, *family.children(recursive=True)]:
            try:
                total += process.memory_info().rss
            except psutil.Error:
                continue
    except psutil.Error:
        pass
    return total


def main() -> None:
    clone = Path(tempfile.mkdtemp()) / "cxrbench"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
    overrides = sys.argv[1:]
    first = ["dvc", "exp", "run", *overrides] if overrides else ["dvc", "repro"]
    again = ["dvc", "repro"]
    for name, command in (("from nothing", first), ("repeated", again), ("once more", again)):
        seconds, mebibytes = measured(command, clone)
        print(f"{name:13} {' '.join(command):30} {seconds:7.1f} s   peak {mebibytes:6.0f} MiB", flush=True)
    print(f"left in {clone}")


if __name__ == "__main__":
    main()
