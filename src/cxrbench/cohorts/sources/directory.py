"""A folder of one's own: a sub-folder for each class, or a table that lists the images."""

from pathlib import Path

import pandas as pd

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.folders import list_files, list_folders
from cxrbench.base.labels import normal_label
from cxrbench.cohorts.identifiers import identifiers
from cxrbench.cohorts.listing import (
    PART_NAMES,
    TOOL_FILES,
    Listing,
    SourceImage,
    check_folder,
    path_below,
    unique_ids,
)
from cxrbench.cohorts.source_table import read_source_table
from cxrbench.cohorts.view_position import view_of

# Column -> the other names by which it is known, in any case and with any separators.
COLUMNS = {
    "path": ("file", "filename", "filepath", "image", "image_path", "image_file"),
    "label": ("class", "finding", "diagnosis", "target"),
    "split": ("part", "set", "fold"),
    "patient_id": ("patient", "subject_id", "subject"),
    "view": ("view_position", "projection"),
}


def read(root: Path, table: str | None = None, view: str | None = None) -> Listing:
    """Every image of ``root``; ``view`` is the view of those for which no table says otherwise."""
    check_folder(root, "the images")
    return _read_table(root, table, view or "") if table else _read_folders(root, view or "")


def _read_folders(root: Path, view: str) -> Listing:
    folders = list_folders(root)
    parts = [folder for folder in folders if folder.name.lower() in PART_NAMES]
    if parts and len(parts) < len(folders):
        other = next(folder.name for folder in folders if folder not in parts)
        raise CxrbenchError(
            f"root {root} holds both '{parts[0].name}', a part, and '{other}', a class; keep the classes inside the"
            " parts or have no parts"
        )
    classes = [(PART_NAMES[part.name.lower()], folder) for part in parts for folder in list_folders(part)]
    if not parts:
        classes = [("", folder) for folder in folders]
    if not classes:
        raise CxrbenchError(f"root {root} holds no sub-folder for a class; make one for each label or give a table")
    names, tool_files = list_files(root)
    of_class = {folder: (part, normal_label(folder.name)) for part, folder in classes}
    depth = 2 if parts else 1
    images: list[tuple[Path, str, str]] = []
    for path in map(Path, names):
        inside = path.relative_to(root).parts
        folder = root.joinpath(*inside[:depth])
        if len(inside) > depth and folder in of_class:
            images.append((path, *of_class[folder]))
    if not images:
        raise CxrbenchError(
            f"root {root} has {len(classes)} class folders but no file in them (skipped: {tool_files:,} {TOOL_FILES});"
            " put the images there"
        )
    ids = unique_ids([path.relative_to(root).as_posix() for path, _, _ in images])
    return Listing(
        [
            SourceImage(path=path, image_id=image_id, label=label, view=view, source_part=part)
            for (path, part, label), image_id in zip(images, ids)
        ],
        skipped={TOOL_FILES: tool_files, "files outside the class folders": len(names) - len(images)},
    )


def _read_table(root: Path, name: str, view: str) -> Listing:
    table = root / name
    content = read_source_table(table, ("path", "label"), ("split", "patient_id", "view"), COLUMNS)
    rows = content.rows
    paths = _paths(root, table, rows["path"])
    patients = identifiers(rows["patient_id"], content.names.get("patient_id", ""), table)
    parts = _parts(table, content.names.get("split", ""), rows["split"])
    notes = list(content.notes)
    if content.ignored:
        notes.append(
            f"table {table}: {len(content.ignored)} columns are ignored ({', '.join(content.ignored)}); used are"
            f" {', '.join(content.names.values())}"
        )
    columns = (rows["label"], parts, patients, rows["view"])
    images = [
        SourceImage(
            path=root / path,
            image_id=image_id,
            label=normal_label(label),
            view_position=position,
            view=view_of(position) or view,
            patient_id=patient,
            source_part=part,
        )
        for path, image_id, label, part, patient, position in zip(paths, unique_ids(paths), *columns)
    ]
    return Listing(images, notes=tuple(notes))


def _paths(root: Path, table: Path, cells: pd.Series) -> list[str]:
    """Each row's path relative to ``root``; CxrbenchError where one is missing, leads elsewhere or comes twice."""
    paths: dict[str, int] = {}
    for line, text in cells.items():
        if not text:
            raise CxrbenchError(f"table {table} has no path in line {line}; keep one line an image")
        path = path_below(root, text, f"table {table}, line {line},")
        if path in paths:
            raise CxrbenchError(
                f"table {table} lists {path} a second time in line {line}, first in line {paths[path]}; keep one line"
                " an image"
            )
        paths[path] = int(line)
    return list(paths)


def _parts(table: Path, column: str, cells: pd.Series) -> list[str]:
    for line, text in cells.items():
        if text and text.lower() not in PART_NAMES:
            raise CxrbenchError(
                f"table {table} has {column} '{text}' in line {line}; write train, validation, test or nothing, or"
                " give the column another name if it does not split the images"
            )
    return [PART_NAMES.get(text.lower(), "") for text in cells]
