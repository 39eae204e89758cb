"""Where a result came from: the code's revision, the data's hashes and the DVC experiments, as plain tags.

Hashes and names only; no path of this machine, no user, no host. What was true when a run was trained is kept beside
the runs, for MLflow's own store may be lost, and a later revision of the code did not train the run.
"""

import dataclasses
import json
import os
import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import yaml

from cxrbench.base.files import write_text

DATA_STAGES = ("download", "view-filter", "split")
EXPERIMENTS = "dvc.experiments"  # names of DVC experiments, separated by blanks
KEPT = ".provenance"  # the folder of the run store that holds a file a run


@dataclasses.dataclass(frozen=True)
class Provenance:
    """Where one run came from."""

    tags: Mapping[str, str] = dataclasses.field(default_factory=dict)
    seedless: str = ""  # the fingerprint of the run without its seed, by the code that trained it; empty: not kept

    @property
    def experiments(self) -> list[str]:
        return self.tags.get(EXPERIMENTS, "").split()


def provenance_tags(folder: Path) -> dict[str, str]:
    """Tags for what is trained from ``folder``, the workspace or DVC's copy of it; what is unknown is left out."""
    experiment = {
        EXPERIMENTS: os.environ.get("DVC_EXP_NAME", ""),
        "dvc.baseline": os.environ.get("DVC_EXP_BASELINE_REV", ""),
    }
    found = {**_git_tags(folder), **experiment, **_data_tags(folder)}
    return {name: value for name, value in found.items() if value}


def kept(store: Path, run: str) -> Provenance | None:
    """What was kept of ``run`` in the run store's folder; None where there is nothing that can be read."""
    try:
        return Provenance(**json.loads((store / KEPT / f"{run}.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):  # trained by a version that kept none, or a damaged file
        return None


def keep(store: Path, run: str, now: Mapping[str, str], seedless: Callable[[], str]) -> None:
    """Keeps the tags ``now`` and what ``seedless`` gives of ``run``; if it has them, only who uses it is added."""
    before = kept(store, run)
    if before is None:
        after = Provenance(now, seedless())
    else:
        tags = {**before.tags, EXPERIMENTS: joined([*before.experiments, *now.get(EXPERIMENTS, "").split()])}
        after = Provenance({name: value for name, value in tags.items() if value}, before.seedless)
    if after != before:
        write_text(store / KEPT / f"{run}.json", json.dumps(dataclasses.asdict(after), indent=1))


def joined(names: Iterable[str]) -> str:
    """Names of experiments as one tag, each once, in their order."""
    return " ".join(dict.fromkeys(names))


def _git_tags(folder: Path) -> dict[str, str]:
    revision = _git(folder, "rev-parse", "HEAD")
    # dvc.lock always changes while a pipeline runs; what counts is what a run is made of
    changed = _git(folder, "status", "--porcelain", "--untracked-files=no", "--", "src", "params.yaml", "dvc.yaml")
    if not revision:
        return {}
    return {"mlflow.source.git.commit": revision, "git.uncommitted_changes": "yes" if changed else "no"}


def _git(folder: Path, *arguments: str) -> str:
    try:
        result = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):  # no git, or no repository
        return ""
    return result.stdout.strip()


def _data_tags(folder: Path) -> dict[str, str]:
    try:
        lock = yaml.safe_load((folder / "dvc.lock").read_text(encoding="utf-8")) or {}
    except (FileNotFoundError, yaml.YAMLError):  # a stage that was run by hand; a file that DVC is writing
        return {}
    outs = [out for stage in DATA_STAGES for out in lock.get("stages", {}).get(stage, {}).get("outs", [])]
    return {f"dvc.md5.{out['path']}": out.get("md5", "") for out in outs}
