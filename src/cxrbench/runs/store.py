"""The run store: a run is looked up by fingerprint before it is trained.

The fingerprint covers all that decides a run's result: setting, seed, data, training code and the
libraries that compute. An entry is a folder, written under a temporary name and renamed when whole, with
the checksum of each of its files; a damaged entry is dropped and trained again. The store is a cache
outside DVC's outputs, shared by every experiment of a workspace.
"""

import functools
import hashlib
import importlib.metadata
import json
import os
import shutil
import sys
import uuid
from pathlib import Path

import cxrbench
from cxrbench.base.files import write_text
from cxrbench.config.setting import Setting
from cxrbench.images import decode

CHECKSUMS = "checksums.json"
# Everything between a decoded image and a stored score; what only moves runs about is not among it.
TRAINING_CODE = ("training", "images/squares.py", "runs/selection.py")


def fingerprint(setting: Setting, seed: int, data_sha256: str) -> str:
    """16 hex digits that name the run of ``setting`` with ``seed`` on the data of that hash."""
    decides = {
        "setting": setting.model_dump(),
        "weights": _file_hash(Path(setting.weights)) if setting.weights and Path(setting.weights).is_file() else None,
        "seed": seed,
        "data": data_sha256,
        "code": code_sha256(),
        "decoding": decode.version(),
        "backend": os.environ.get("KERAS_BACKEND", "tensorflow"),
        "versions": {name: importlib.metadata.version(name) for name in ("keras", "tensorflow", "numpy")},
    }
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:16]


@functools.cache
def code_sha256() -> str:
    """The hash of the training code's files."""
    root = Path(cxrbench.__file__).parent
    files = [
        path
        for name in TRAINING_CODE
        for path in ([root / name] if name.endswith(".py") else (root / name).rglob("*.py"))
    ]
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


class RunStore:
    """Trained runs below ``folder``, one sub-folder a fingerprint."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, run: str) -> Path:
        return self.folder / run

    def has(self, run: str) -> bool:
        """Whether ``run`` is there and whole; a damaged entry is removed with a word of warning."""
        entry = self.path(run)
        if not entry.is_dir():
            return False
        try:
            sums = json.loads((entry / CHECKSUMS).read_text(encoding="utf-8"))
            whole = bool(sums) and all(_file_hash(entry / name) == digest for name, digest in sums.items())
        except (OSError, ValueError, AttributeError):
            whole = False
        if not whole:
            print(f"run {run} in {self.folder} is damaged; it is trained again", file=sys.stderr)
            shutil.rmtree(entry, ignore_errors=True)
        return whole

    def begin(self, run: str) -> Path:
        """A fresh temporary folder to write ``run`` into."""
        folder = self.folder / f".{run}-{uuid.uuid4().hex[:8]}"
        folder.mkdir(parents=True)
        return folder

    def commit(self, run: str, written: Path) -> None:
        """Makes the folder ``written`` the entry of ``run``; where another process was first, that one stays."""
        sums = {path.name: _file_hash(path) for path in sorted(written.iterdir())}
        write_text(written / CHECKSUMS, json.dumps(sums, indent=1))
        try:
            os.rename(written, self.path(run))
        except OSError:
            if not self.has(run):
                raise
            shutil.rmtree(written)

    def copy_out(self, run: str, target: Path) -> None:
        """Copies the entry's files, but for its checksums, to the new folder ``target``."""
        shutil.copytree(self.path(run), target, ignore=shutil.ignore_patterns(CHECKSUMS))


def _file_hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
