"""Which reader and which recipe belong to the names of params.yaml, and where a cohort's files come to lie."""

import hashlib
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from cxrbench.base import plugins
from cxrbench.base.errors import CxrbenchError
from cxrbench.base.folders import is_left_by_tool
from cxrbench.cohorts.fetch import kaggle_hub, open_access, physionet
from cxrbench.cohorts.fetch.archive import unpack
from cxrbench.cohorts.listing import Listing
from cxrbench.cohorts.sources import medmnist

# where to fetch from -> the folder that comes of it, given the store of fetched files and the options
RECIPES: dict[str, Callable[..., Path]] = {
    "kagglehub": lambda store, **options: kaggle_hub.fetch(),
    "mendeley": lambda store, **options: open_access.mendeley(store / "kermany"),
    "physionet": lambda store, per_label, seed, **options: physionet.fetch(
        store / "mimic-cxr-jpg-2.1.0", per_label, seed
    ),
    "github": lambda store, **options: open_access.github(store / "covid19"),
    "zenodo": lambda store, size_px, **options: open_access.zenodo(store / "medmnist", size_px),
}


def find(
    source: str,
    root: Path,
    table: str | None = None,
    view: str | None = None,
    *,
    file_names: str | None = None,
    per_label: int | None = None,
    seed: int = 0,
    columns: Mapping[str, str] = MappingProxyType({}),
    positive: str = "",
    negative: str = "",
    options: Mapping[str, Any] = MappingProxyType({}),
) -> Listing:
    """Every file of the cohort at ``root``; paths stay relative where ``root`` is.

    A reader of ours gets what it has a parameter for, one of an installed package gets ``options`` alone. Raises
    CxrbenchError where it has no parameter for one of them.
    """
    read = plugins.load("source", source).read
    takes = list(inspect.signature(read).parameters)[1:]
    if unknown := [name for name in options if name not in takes]:
        raise CxrbenchError(
            f"source {source} has no option {unknown[0]} but {', '.join(takes) or 'none'}; mend the cohort's options"
        )
    ours: dict[str, Any] = {"table": table, "view": view, "per_label": per_label, "seed": seed, "columns": columns}
    ours |= {"positive": positive, "negative": negative, "file_names": file_names}
    given = ours if source in plugins.built_in("source") else options
    found: Listing = read(root, **{name: value for name, value in given.items() if name in takes})
    return found


def fetched(recipe: str, store: Path, *, per_label: int | None, seed: int, size_px: int) -> Path:
    """The folder of a cohort that is fetched; what is there already is not fetched again."""
    return RECIPES[recipe](store, per_label=per_label, seed=seed, size_px=size_px)


def opened(source: str, root: Path, store: Path, size_px: int) -> Path:
    """The folder of a local cohort: ``root`` itself, or what an archive in its place was unpacked to, once."""
    if not root.is_file() or root.suffix.lower() != (".npz" if source == "medmnist" else ".zip"):
        return root
    folder = _unpacked(source, root, store, size_px)
    inside = _entries(folder)
    # Many archives hold one folder that holds it all; a single class folder, with files alone, is not that.
    alone = len(inside) == 1 and any(path.is_dir() or path.suffix.lower() == ".csv" for path in _entries(inside[0]))
    return inside[0] if alone else folder


def _entries(path: Path) -> list[Path]:
    """What lies directly in a folder, without what tools leave there."""
    return [inside for inside in path.iterdir() if not is_left_by_tool(inside.name)] if path.is_dir() else []


def _unpacked(source: str, root: Path, store: Path, size_px: int) -> Path:
    state = root.stat()
    key = hashlib.sha256(f"{root.resolve()} {state.st_size} {state.st_mtime_ns}".encode()).hexdigest()[:12]
    folder = store / "unpacked" / f"{root.stem}-{key}"
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    return medmnist.write_tree(root, folder, size_px) if source == "medmnist" else unpack(root, folder)
