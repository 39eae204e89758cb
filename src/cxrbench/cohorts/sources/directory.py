"""A folder of one's own: a sub-folder for each class, or a table that lists the images."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pandas as pd

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.folders import list_files, list_folders
from cxrbench.base.labels import normal_label
from cxrbench.cohorts import names
from cxrbench.cohorts.identifiers import identifiers, one_row_each
from cxrbench.cohorts.listing import PART_NAMES, TOOL_FILES, Listing, SourceImage, check_folder, unique_ids
from cxrbench.cohorts.source_table import SourceTable, read_source_table
from cxrbench.cohorts.table_files import files_below, files_of_rows
from cxrbench.cohorts.table_labels import label_columns, row_labels
from cxrbench.cohorts.view_position import view_of
from cxrbench.config.cohort import COLUMNS


def read(
    root: Path,
    table: str | None = None,
    view: str | None = None,
    columns: Mapping[str, str] = MappingProxyType({}),
    positive: str = "",
    negative: str = "",
    file_names: str | None = None,
) -> Listing:
    """Every image of ``root``; ``view`` is the view of those for which no table says otherwise.

    ``columns`` says how the table calls what is asked of it, where not by a usual name. The two labels matter where a
    row has several findings. ``file_names`` says how paths name the patient, as ``names.patients`` takes it, of whom no
    table says anything.
    """
    check_folder(root, "the images")
    if table:
        return _read_table(root, table, view or "", columns, (positive, negative), file_names)
    return _read_folders(root, view or "", file_names)


def _read_folders(root: Path, view: str, file_names: str | None) -> Listing:
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
    files, tool_files = list_files(root)
    of_class = {folder: (part, normal_label(folder.name)) for part, folder in classes}
    depth = 2 if parts else 1
    images: list[tuple[Path, str, str]] = []
    for path in map(Path, files):
        inside = path.relative_to(root).parts
        folder = root.joinpath(*inside[:depth])
        if len(inside) > depth and folder in of_class:
            images.append((path, *of_class[folder]))
    if not images:
        raise CxrbenchError(
            f"root {root} has {len(classes)} class folders but no file in them (skipped: {tool_files:,} {TOOL_FILES});"
            " put the images there"
        )
    inside_root = [path.relative_to(root).as_posix() for path, _, _ in images]
    patients, notes = names.patients(file_names, inside_root)
    return Listing(
        [
            SourceImage(path=path, image_id=image_id, label=label, view=view, source_part=part, patient_id=patient)
            for (path, part, label), image_id, patient in zip(images, unique_ids(inside_root), patients)
        ],
        notes=notes,
        skipped={TOOL_FILES: tool_files, "files outside the class folders": len(files) - len(images)},
    )


def _read_table(
    root: Path, name: str, view: str, columns: Mapping[str, str], pair: tuple[str, str], file_names: str | None
) -> Listing:
    table = root / name
    of_findings = label_columns(*pair)
    optional = ("label", "split", "patient_id", "view", *of_findings)
    content = read_source_table(table, ("path",), optional, {**COLUMNS, **of_findings}, columns)
    labels, notes = row_labels(content, table, *pair)
    files = files_below(root, table)
    rows = content.rows.assign(
        path=files_of_rows(root, table, content.names["path"], content.rows["path"], files),
        label=labels,
        split=_parts(table, content.names.get("split", ""), content.rows["split"]),
        patient_id=identifiers(content.rows["patient_id"], content.names.get("patient_id", ""), table),
    ).explode("path")
    images = one_row_each(rows, "path", ("label", "split", "patient_id", "view"), table)
    patients, of_names = names.patients(file_names, images["path"].tolist())
    return Listing(
        [
            SourceImage(
                path=root / row.path,
                image_id=image_id,
                label=row.label,
                view_position=row.view,
                view=view_of(row.view) or view,
                patient_id=row.patient_id or patient,
                source_part=row.split,
            )
            for row, image_id, patient in zip(images.itertuples(), unique_ids(images["path"].tolist()), patients)
        ],
        skipped={
            "repeated lines of the table": len(rows) - len(images),
            "images that the table does not name": _unnamed(files, set(images["path"])),
        },
        notes=(*content.notes, *_ignored(table, content), *notes, *of_names),
    )


def _unnamed(files: list[str], named: set[str]) -> int:
    """How many files the table does not name that end as those do that it names: others are no images."""
    endings = {Path(path).suffix.lower() for path in named}
    return sum(Path(path).suffix.lower() in endings and path not in named for path in files)


def _ignored(table: Path, content: SourceTable) -> list[str]:
    used = list(dict.fromkeys(content.names.values()))
    ignored = [name for name in content.header if name and name not in used]
    said = (
        f"table {table}: {len(ignored)} columns are ignored ({', '.join(ignored)}); used are {', '.join(used)}. The"
        " cohort's columns name others"
    )
    return [said] if ignored else []


def _parts(table: Path, column: str, cells: pd.Series) -> list[str]:
    for line, text in cells.items():
        if text and text.lower() not in PART_NAMES:
            raise CxrbenchError(
                f"table {table} has {column} '{text}' in line {line}; write train, validation, test or nothing, or"
                " give the column another name if it does not split the images"
            )
    return [PART_NAMES.get(text.lower(), "") for text in cells]
