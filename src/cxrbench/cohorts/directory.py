"""A folder of one's own: a sub-folder for each class, or a table that lists the images."""

from pathlib import Path, PurePosixPath

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.files import MAC_FOLDER
from cxrbench.cohorts.found import PART_NAMES, Found, check_folder, files_below, unique_ids
from cxrbench.cohorts.source_csv import read_source_csv
from cxrbench.cohorts.view_position import view_of


def read(root: Path, table: str | None = None, view: str | None = None) -> list[Found]:
    """Every image of ``root``; ``view`` is the view of those for which no table says otherwise."""
    check_folder(root, "the images")
    return _read_table(root, table, view or "") if table else _read_folders(root, view or "")


def _read_folders(root: Path, view: str) -> list[Found]:
    folders = _sub_folders(root)
    parts = [folder for folder in folders if folder.name.lower() in PART_NAMES]
    if parts and len(parts) < len(folders):
        other = next(folder.name for folder in folders if folder not in parts)
        raise CxrbenchError(
            f"root {root} holds both '{parts[0].name}', a part, and '{other}', a class; keep the classes inside the"
            " parts or have no parts"
        )
    classes = [(PART_NAMES[part.name.lower()], folder) for part in parts for folder in _sub_folders(part)]
    if not parts:
        classes = [("", folder) for folder in folders]
    if not classes:
        raise CxrbenchError(f"root {root} holds no sub-folder for a class; make one for each label or give a table")
    found = [(path, folder.name.lower(), part) for part, folder in classes for path in files_below(folder)]
    if not found:
        raise CxrbenchError(f"root {root} has {len(classes)} class folders but no file in them; put the images there")
    ids = unique_ids([path.relative_to(root).as_posix() for path, _, _ in found])
    return [
        Found(path=path, image_id=image_id, label=label, view=view, source_part=part)
        for (path, label, part), image_id in zip(found, ids)
    ]


def _read_table(root: Path, table: str, view: str) -> list[Found]:
    rows = read_source_csv(root / table, ("path", "label"), ("split", "patient_id", "patient", "view"))
    names = [PurePosixPath(name).as_posix() if name else "" for name in rows["path"]]
    seen: set[str] = set()
    for number, (name, part) in enumerate(zip(names, rows["split"]), start=2):
        if not name or name in seen:
            problem = f"lists {name} a second time" if name else "has no path"
            raise CxrbenchError(f"table {root / table} {problem} in line {number}; keep one line an image")
        if part and part.lower() not in PART_NAMES:
            raise CxrbenchError(
                f"table {root / table} has split '{part}' in line {number}; write train, validation, test or nothing"
            )
        seen.add(name)
    patients = rows["patient_id"].where(rows["patient_id"] != "", rows["patient"])
    columns = (rows["label"], rows["split"], patients, rows["view"])
    return [
        Found(
            path=root / name,
            image_id=image_id,
            label=label.lower(),
            view_position=position,
            view=view_of(position) or view,
            patient_id=patient,
            source_part=PART_NAMES.get(part.lower(), ""),
        )
        for name, image_id, label, part, patient, position in zip(names, unique_ids(names), *columns)
    ]


def _sub_folders(folder: Path) -> list[Path]:
    return sorted(
        path for path in folder.iterdir() if path.is_dir() and path.name != MAC_FOLDER and not path.name.startswith(".")
    )
