"""Which files a row of a table means: by their path, by the end of it, or by an identifier in their DICOM header."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import pandas as pd

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.folders import list_files
from cxrbench.cohorts.listing import path_below
from cxrbench.images.dicom import header_text

# Columns whose name says that they hold what is in a DICOM header; of a study or series all images are meant.
DICOM_KEYS = ("SOPInstanceUID", "AccessionNumber", "StudyInstanceUID", "SeriesInstanceUID")


def files_below(root: Path, table: Path) -> list[str]:
    """All files of ``root`` but those of tools and the table itself, relative to it."""
    paths = (Path(name) for name in list_files(root)[0])
    return [path.relative_to(root).as_posix() for path in paths if path != table]


def files_of_rows(root: Path, table: Path, column: str, cells: pd.Series, files: Iterable[str]) -> pd.Series:
    """Each row's files, a list of paths relative to ``root``; where none is there, the path that the row has.

    Raises CxrbenchError where a cell is empty, leads out of ``root`` or fits files in several folders.
    """
    exact = set(files)
    paths = {}
    for line, text in cells.items():
        if not text:
            raise CxrbenchError(f"table {table} has no path in line {line}; keep one line an image")
        paths[line] = path_below(root, text, f"table {table}, line {line},")
    if all(path in exact for path in paths.values()):
        return pd.Series({line: [path] for line, path in paths.items()})
    by_end, found = _by_end(exact), {}
    for line, path in paths.items():
        inside = path.partition("/")[2] if path.partition("/")[0] == root.name else ""  # written from above the root
        here = next((one for one in (path, inside) if one in exact), "")
        ways = [here] if here else by_end.get(path.lower()) or by_end.get(inside.lower(), [])
        if len(ways) > 1:
            raise CxrbenchError(
                f"table {table} has '{path}' in line {line}, and root {root} has {len(ways):,} such files, {ways[0]}"
                f" and {ways[1]} among them; write the folder and the ending too"
            )
        found[line] = ways
    keyword = next((key for key in DICOM_KEYS if key.lower() == column.replace(" ", "").lower()), None)
    if keyword and not all(found.values()):
        by_key = _by_header(root, exact, keyword)
        found = {line: ways or by_key.get(cells[line], []) for line, ways in found.items()}
    return pd.Series({line: ways or [paths[line]] for line, ways in found.items()})


def _by_end(files: Iterable[str]) -> dict[str, list[str]]:
    """Every end of a path, from a folder or the name on, in lower case and with or without ending -> the files."""
    ends = defaultdict(list)
    for file in sorted(files):
        parts = PurePosixPath(file.lower()).parts
        for start in range(len(parts)):
            end = PurePosixPath(*parts[start:])
            for one in {end, end.with_suffix("")}:
                ends[one.as_posix()].append(file)
    return ends


def _by_header(root: Path, files: Iterable[str], keyword: str) -> dict[str, list[str]]:
    keys = defaultdict(list)
    for file in sorted(files):
        if key := header_text(root / file, keyword):
            keys[key].append(file)
    return keys
