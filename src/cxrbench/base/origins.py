"""Where runs came from, as one stage hands it on to another: the commit that trained each, the hashes of its data."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.files import write_text

FILE = "origins.json"


@dataclasses.dataclass(frozen=True)
class Origin:
    """Of some runs; no path of a machine, no user, no host."""

    runs: Sequence[str]
    commit: str = ""  # empty: not kept
    changed: bool = False  # whether code or parameters differed from the commit
    data: Mapping[str, str] = dataclasses.field(default_factory=dict)  # output of a stage -> DVC's MD5 of it


def as_tree(origins: Sequence[Origin]) -> list[dict[str, Any]]:
    """For JSON."""
    return [dataclasses.asdict(one) for one in origins]


def from_tree(tree: Sequence[Mapping[str, Any]]) -> list[Origin]:
    """What ``as_tree`` gave."""
    return [Origin(**one) for one in tree]


def write_origins(folder: Path, origins: Sequence[Origin]) -> None:
    """Writes the file FILE into ``folder``."""
    write_text(folder / FILE, json.dumps(as_tree(origins), indent=1) + "\n")


def read_origins(folder: Path) -> list[Origin]:
    """The origins in ``folder``; none where an earlier version wrote it. Raises CxrbenchError for a damaged file."""
    path = folder / FILE
    if not path.exists():
        return []
    try:
        return from_tree(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise CxrbenchError(f"{path} is damaged ({error!r}); delete {folder} and run 'dvc repro'") from None
