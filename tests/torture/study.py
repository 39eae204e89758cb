"""A tiny study in a clone of its own: its stages and commands as processes, and what they leave, without its times."""

import contextlib
import hashlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
import psutil
import yaml

from tests.clone import copy_clone, environment, run, tiny_clone

OUTPUTS = {  # of a stage: what DVC removes before it runs it
    "download": ["data/download"],
    "split": ["data/split"],
    "train_grid": ["data/train-grid"],
    "evaluate": ["data/evaluate"],
    "report": ["reports"],
}
TRAINS = ("dvc", "repro", "--force", "--single-item", "train-grid")  # else DVC takes the grid from its cache
TIMED = ("run.json", "origins.json")  # which hold times


class Study:
    """The study in ``folder``; ``before`` is what each command line begins with."""

    def __init__(self, folder, before=()):
        self.folder, self.before = Path(folder), tuple(before)

    @classmethod
    def made(cls, folder):
        """Two learning rates of two seeds on a few phantoms, after its first `dvc repro`."""
        tiny_clone(folder)
        tree = yaml.safe_load((folder / "params.yaml").read_text(encoding="utf-8"))
        del tree["cohorts"]["covid"], tree["split"]["quotas"]["covid"]
        tree["studies"] = {"learning-rate": {"vary": {"lr": [0.01, 0.001]}}}
        tree["epochs"] = 3
        (folder / "params.yaml").write_text(yaml.safe_dump(tree, sort_keys=False), encoding="utf-8")
        run(folder, "dvc", "repro")
        run(folder, "git", "add", "-A")
        run(folder, "git", "commit", "-qm", "first")
        return cls(folder)

    def copy(self, folder):
        copy_clone(self.folder, folder)
        return Study(folder, self.before)

    def run(self, *words, fails=False, **more):
        """What the command prints; a word 'stage:NAME' is a stage, 'cxrbench' the command of this checkout."""
        told = run(self.folder, *self.command(*words), fails=fails, **more)
        assert "Traceback" not in told, told
        return told

    def command(self, *words):
        first, *rest = words
        if first.startswith("stage:"):
            return [*self.before, sys.executable, "-m", f"cxrbench.stages.{first.removeprefix('stage:')}", *rest]
        named = {"cxrbench": (sys.executable, "-m", "cxrbench.cli")}
        return [*self.before, *named.get(first, (first,)), *rest]

    def start(self, *words, **more):
        """The process of a command, the first of a session of its own; ``said`` is what it has told by now."""
        self._said = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
        return subprocess.Popen(
            self.command(*words),
            cwd=self.folder,
            env=environment(self.folder, **more),
            stdout=self._said,
            stderr=self._said,
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # which a shell's background ignores
        )

    def said(self):
        self._said.seek(0)
        return self._said.read()

    def ended(self, words, **more):
        """The exit code of a command line, and all that it told."""
        code = self.start(*words.split(), **more).wait(600)
        return code, self.said()

    def forget(self, *paths):
        for path in paths:
            shutil.rmtree(self.folder / path, ignore_errors=True)

    def forget_runs(self):
        """As before train-grid, but for the view network's runs; DVC trains with ``TRAINS`` alone, and copies else."""
        for run_folder in (self.folder / "data/train-grid").glob("*/"):
            self.forget(f".cxrbench/runs/{run_folder.name}")
        self.forget("data/train-grid")

    def content(self, *paths):
        """File -> the hash of what it holds, times left out."""
        found = {}
        for path in paths:
            for file in sorted((self.folder / path).rglob("*")):
                if file.is_file() and file.name not in TIMED:
                    held = file.read_bytes()
                    if file.name == "history.csv":
                        held = pd.read_csv(file).drop(columns="seconds").to_csv().encode()
                    found[str(file.relative_to(self.folder))] = hashlib.sha256(held).hexdigest()
        return found


def error_of(told):
    """The one sentence that ends what was told."""
    assert "Traceback" not in told, told
    errors = [line for line in told.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, told
    return errors[0]


def children_of(process):
    """The living processes that ``process`` started, and those that these did."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(process.pid).children(recursive=True)
    return []


def command_of(process):
    """Its command line; empty of one that has ended."""
    with contextlib.suppress(psutil.Error):
        return " ".join(process.cmdline())
    return ""


def wait_for_stage(study, process):
    """Until DVC has begun train-grid."""
    while not any("cxrbench.stages.train_grid" in command_of(one) for one in children_of(process)):
        assert process.poll() is None, study.said()
        time.sleep(0.1)
