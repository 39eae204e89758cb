"""Where a result came from: the code's revision, the data's hashes and the DVC experiments, as plain tags.

Hashes and names only; no path of this machine, no user, no host. What was true when a run was trained is kept beside
the runs, for MLflow's own store may be lost, and a later revision of the code did not train the run.
"""

import dataclasses
import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from posixpath import normpath

import yaml

from cxrbench.base.commit import commit
from cxrbench.base.files import write_text
from cxrbench.base.origins import Origin

DATA_STAGES = ("download", "view-filter", "split")
EXPERIMENTS = "dvc.experiments"  # names of DVC experiments, separated by blanks
COMMIT, CHANGED = "mlflow.source.git.commit", "git.uncommitted_changes"
MD5 = "dvc.md5."  # the path of a stage's output follows
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


def origins(store: Path, runs: Iterable[str]) -> list[Origin]:
    """What was kept of ``runs`` in the run store's folder, those of one origin together, in their order."""
    found: dict[str, tuple[Mapping[str, str], list[str]]] = {}
    for run in dict.fromkeys(runs):
        known = kept(store, run)
        tags = {name: value for name, value in known.tags.items() if _of_origin(name)} if known else {}
        found.setdefault(json.dumps(tags, sort_keys=True), (tags, []))[1].append(run)
    return [
        Origin(
            of_origin,
            tags.get(COMMIT, ""),
            tags.get(CHANGED) == "yes",
            {name.removeprefix(MD5): value for name, value in sorted(tags.items()) if name.startswith(MD5)},
        )
        for tags, of_origin in found.values()
    ]


def _of_origin(tag: str) -> bool:
    return tag in (COMMIT, CHANGED) or tag.startswith(MD5)


def joined(names: Iterable[str]) -> str:
    """Names of experiments as one tag, each once, in their order."""
    return " ".join(dict.fromkeys(names))


def _git_tags(folder: Path) -> dict[str, str]:
    revision, changed = commit(folder)
    return {COMMIT: revision, CHANGED: "yes" if changed else "no"} if revision else {}


def _data_tags(folder: Path) -> dict[str, str]:
    try:
        lock = yaml.safe_load((folder / "dvc.lock").read_text(encoding="utf-8")) or {}
    except (FileNotFoundError, yaml.YAMLError):  # a stage that was run by hand; a file that DVC is writing
        return {}
    outs = [out for stage in DATA_STAGES for out in lock.get("stages", {}).get(stage, {}).get("outs", [])]
    return {f"{MD5}{normpath(out['path'])}": out.get("md5", "") for out in outs}
