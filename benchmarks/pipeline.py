"""What the whole pipeline costs from nothing, after one change and with nothing to do; beside another commit's on wish.

Clones this checkout into an empty folder and runs DVC there with this environment. Processor time is that of all
processes in user mode, which a busy machine disturbs less than seconds on the clock. Memory is the sum of the resident
sets of all processes, sampled four times a second; what they share counts more than once.

    python benchmarks/pipeline.py                     # this checkout alone
    python benchmarks/pipeline.py --against 4f9d771   # and the ratios to that commit, both measured now
    python benchmarks/pipeline.py -S data=tiny        # another experiment
"""

import argparse
import html
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import psutil

ROOT = Path(__file__).parents[1]
NOTHING_TO_DO = 3  # times; the fastest counts, since the first after a run still fills DVC's caches


class Cost(NamedTuple):
    user: float  # seconds of processor time
    wall: float  # seconds
    peak: float  # MiB


def measured(command: list[str], clone: Path) -> Cost:
    """The cost of ``command`` and all its children, run in ``clone`` with that clone's own package."""
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(clone / "src"),
        "DVC_SITE_CACHE_DIR": str(clone.parent / "site"),
    }
    started, before, peak_bytes = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime, 0
    with (clone.parent / "log.txt").open("ab") as log:
        process = subprocess.Popen(command, cwd=clone, env=environment, stdout=log, stderr=log)
        while process.poll() is None:
            peak_bytes = max(peak_bytes, resident_bytes(process.pid))
            time.sleep(0.25)
    if process.returncode:
        sys.exit((clone.parent / "log.txt").read_text(encoding="utf-8")[-3000:])
    user = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    return Cost(user, time.monotonic() - started, peak_bytes / 2**20)


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


def cloned(commit: str, name: str) -> Path:
    clone = Path(tempfile.mkdtemp(prefix=f"cxrbench-{name}-")) / "cxrbench"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
    subprocess.run(["git", "checkout", "-q", commit], cwd=clone, check=True)
    return clone


def whole_run(clone: Path, overrides: list[str]) -> dict[str, Cost]:
    """The cost of each step, printed as it is known."""
    repro = ["dvc", "repro"]
    steps = {
        "from nothing": ["dvc", "exp", "run", *overrides] if overrides else repro,
        "with lr=0.01": ["dvc", "exp", "run", "-S", "lr=0.01", *overrides],
    }
    costs = {}
    for name, command in steps.items():
        costs[name] = measured(command, clone)
        show(name, costs[name])
        if name == "from nothing":
            page = (clone / "reports" / "report.html").read_text(encoding="utf-8")
    for name, command in (("nothing to do", repro), ("dvc version", ["dvc", "version"])):
        costs[name] = min(measured(command, clone) for _ in range(NOTHING_TO_DO))
        show(name, costs[name])
    print(f"nothing to do / dvc version: ratio {costs['nothing to do'].user / costs['dvc version'].user:.2f}")
    (clone.parent / "report.html").write_text(page, encoding="utf-8")
    return costs


def show(name: str, cost: Cost) -> None:
    print(f"  {name:14} {cost.user:8.1f} s user  {cost.wall:8.1f} s wall  peak {cost.peak:6.0f} MiB", flush=True)


def widths(page: str) -> dict[str, float]:
    """Claim -> the width of its decisive interval in its metric's unit, from the first table of a report."""
    table = re.search(r"<table.*?</table>", page, flags=re.S)
    rows = re.findall(r"<tr.*?</tr>", table.group() if table else "", flags=re.S)
    result = {}
    for row in rows:
        text = html.unescape(re.sub(r"<[^>]+>", "\t", row)).replace("−", "-")
        ends = re.search(r"\[([-+]?[\d.]+) to ([-+]?[\d.]+)\]", text)
        claim = next((cell.strip() for cell in text.split("\t") if cell.strip().endswith(".")), "")  # a sentence
        if ends and claim:
            result[claim] = float(ends.group(2)) - float(ends.group(1))
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--against", metavar="COMMIT", help="measure this commit too and print the ratios")
    parser.add_argument("-S", action="append", default=[], metavar="KEY=VALUE", help="as for dvc exp run")
    options = parser.parse_args()
    overrides = [word for override in options.S for word in ("-S", override)]
    clones = {"HEAD": cloned("HEAD", "head")}
    if options.against:
        clones[options.against] = cloned(options.against, "against")
    costs = {}
    for name, clone in clones.items():
        print(f"{name}, in {clone}")
        costs[name] = whole_run(clone, overrides)
    if not options.against:
        return
    ours, theirs = costs["HEAD"], costs[options.against]
    for step in ("from nothing", "with lr=0.01"):
        print(f"{step}: user time, ratio {ours[step].user / theirs[step].user:.2f}")
    new, old = (widths((clone.parent / "report.html").read_text(encoding="utf-8")) for clone in clones.values())
    both = [claim for claim in new if claim in old and old[claim] > 0]
    medians = [statistics.median(widths_of[claim] for claim in both) for widths_of in (new, old)]
    each = statistics.median(new[claim] / old[claim] for claim in both)
    print(f"decisive intervals of {len(both)} claims, each in its own unit: ratio of the median widths")
    print(f"{medians[0] / medians[1]:.2f}, median of the claims' ratios {each:.2f}")


if __name__ == "__main__":
    main()
