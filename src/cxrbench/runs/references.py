"""Which runs the grids of git refer to: of every commit of the last days, DVC's experiments among them.

A commit's dvc.lock names what train-grid and view-filter wrote, and DVC's cache says which runs that was. Nothing is
checked out.
"""

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from posixpath import normpath
from typing import Any

from ruamel.yaml import YAML, YAMLError

GRID, NETWORK = "data/train-grid", "data/view-filter/model.json"  # outputs that name runs


def referred(root: Path, days: float) -> tuple[set[str], int]:
    """The runs of the grids of all commits of the last ``days``, of HEAD and of dvc.lock as it stands below ``root``.

    And how many of these grids could not be looked up, because DVC's cache no longer holds them.
    """
    outs = {(path, md5) for text in _locks(root, days) for path, md5 in _outs(text)}
    cache = Path(_output(root, sys.executable, "-m", "dvc", "cache", "dir").strip() or ".dvc/cache")
    runs: set[str] = set()
    unknown = 0
    for path, md5 in outs:
        file = root / cache / "files" / "md5" / md5[:2] / md5[2:]
        try:
            runs |= set(_runs(path, json.loads(file.read_text(encoding="utf-8"))))
        except (OSError, ValueError, KeyError, TypeError):
            unknown += 1
    return runs, unknown


def _locks(root: Path, days: float) -> set[str]:
    """The text of every dvc.lock."""
    recent = _output(root, "git", "log", "--all", f"--since={round(days * 86400)} seconds ago", "--format=%H").split()
    wanted = "\n".join(f"{commit}:./dvc.lock" for commit in [*recent, "HEAD"])
    listed = _output(root, "git", "cat-file", "--batch-check=%(objectname) %(objecttype)", stdin=wanted)
    blobs = {line.split()[0] for line in listed.splitlines() if line.endswith(" blob")}
    texts = {_output(root, "git", "cat-file", "blob", blob) for blob in blobs}
    with contextlib.suppress(OSError):
        texts.add((root / "dvc.lock").read_text(encoding="utf-8"))
    return texts


def _outs(lock: str) -> Iterator[tuple[str, str]]:
    """Path and md5 of the outputs that name runs."""
    try:
        stages = YAML(typ="safe", pure=True).load(lock)["stages"]
    except (YAMLError, KeyError, TypeError):
        return
    for stage in stages.values():
        for out in stage.get("outs", ()):
            path = normpath(out.get("path", ""))  # which may begin with params.yaml's `kept`
            if path in (GRID, NETWORK) and "md5" in out:
                yield path, out["md5"]


def _runs(path: str, content: Any) -> list[str]:
    """The runs that an output names: a folder's list of files, or the description of the view network."""
    if path == NETWORK:
        return str(content["run"]).split(" + ")
    return [name for name, slash, _ in (file["relpath"].partition("/") for file in content) if slash]


def _output(root: Path, *command: str, stdin: str = "") -> str:
    """What a command prints; nothing where it fails, as in a folder without git."""
    try:
        done = subprocess.run(command, cwd=root, input=stdin, capture_output=True, text=True)
    except OSError:
        return ""
    return done.stdout if done.returncode == 0 else ""
