"""'Chest X-Ray Images (Pneumonia)', Kermany et al. 2018: children, all seen from the front.

The publisher describes every image as anterior-posterior, so the view is known without a table. Kaggle's archive
holds the set three times (17,568 files): once plain, once in a folder of the same name inside, and as the Finder's
resource forks. A file counts once; what is set aside is a copy byte for byte, else it stays and is told apart.
"""

import filecmp
import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from cxrbench.base.errors import CxrbenchError
from cxrbench.cohorts.found import PART_NAMES, Found, Tell, check_folder, told_to_nobody, unique_ids

PARTS = ("train", "val", "test")
CLASSES = ("NORMAL", "PNEUMONIA")
SET = "chest_xray"  # the folder the archives unpack to; the publisher's third version has other organs beside it
APPLE_DOUBLE = bytes.fromhex("00051607")  # how a resource fork begins (RFC 1740)

# Kaggle's and the publisher's second version, then the third: <kind>-<randomized patient>-<image>.
PATIENTS = (
    re.compile(r"(?P<person>person\d+)_(?P<kind>bacteria|virus)_\d+"),
    re.compile(r"(?P<person>(?:NORMAL2-)?IM-\d+)-\d+"),
    re.compile(r"(?P<kind>NORMAL|BACTERIA|VIRUS)-(?P<person>\d+)-\d+"),
)


def read(root: Path, tell: Tell = told_to_nobody) -> list[Found]:
    """Every file of {train,val,test}/{NORMAL,PNEUMONIA} below ``root`` or a folder chest_xray in it."""
    check_folder(root, "train, val and test")
    places: dict[PurePosixPath, list[Path]] = {}  # part/class/name -> where it lies, the outermost first
    forks = outside = 0
    for path, name in _files(root):
        if name is None:
            outside += 1
        elif _is_fork(path):
            forks += 1
        else:
            places.setdefault(name, []).append(path)
    if not places:
        raise CxrbenchError(
            f"root {root} holds no file in {{{','.join(PARTS)}}}/{{{','.join(CLASSES)}}}; set the cohort's root to the"
            " folder of the unpacked archive"
        )
    kept: dict[str, tuple[Path, PurePosixPath]] = {}
    copies = 0
    for name, paths in sorted(places.items()):
        kept[name.as_posix()] = (paths[0], name)
        for path in paths[1:]:
            if _same(paths[0], path):
                copies += 1
            else:
                kept[path.relative_to(root).as_posix()] = (path, name)
    tell("identical copies", copies)
    tell("resource forks", forks)
    tell("files of other folders", outside)
    return [_found(path, name, image_id) for (path, name), image_id in zip(kept.values(), unique_ids(list(kept)))]


def patient_of(file_name: str) -> tuple[str, str]:
    """The patient that a file name tells of, strictly and loosely read, or '' for a name of another kind.

    Strictly, one number stands for one person, be it among bacteria or virus: the source does not say that it is,
    and to join two strangers is harmless where to part one patient is a leak.
    """
    for pattern in PATIENTS:
        if match := pattern.match(file_name):
            found = match.groupdict()
            return found["person"], f"{found['person']}_{found['kind'].lower()}" if "kind" in found else ""
    return "", ""


def _files(root: Path) -> Iterator[tuple[Path, PurePosixPath | None]]:
    """Each file below ``root``, outer folders first, with part/class/name where it lies in such a folder of the set."""
    todo, seen = [root], set()
    while todo:
        inner: list[Path] = []
        for folder in todo:
            state = folder.stat()
            if (state.st_dev, state.st_ino) in seen:
                continue  # a link back
            seen.add((state.st_dev, state.st_ino))
            for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
                path = folder / entry.name
                if entry.is_dir():
                    inner.append(path)
                else:
                    yield path, _name(root, path)
        todo = inner


def _name(root: Path, path: Path) -> PurePosixPath | None:
    parts = path.relative_to(root).parts
    for depth in range(len(parts) - 2):
        if parts[depth] in PARTS and parts[depth + 1] in CLASSES and (depth == 0 or parts[depth - 1] == SET):
            return PurePosixPath(*parts[depth:])
    return None


def _is_fork(path: Path) -> bool:
    if not path.name.startswith("._"):
        return False
    try:
        with open(path, "rb") as file:
            return file.read(len(APPLE_DOUBLE)) == APPLE_DOUBLE
    except OSError:
        return False  # for ``ingest`` to reject


def _same(one: Path, other: Path) -> bool:
    """Whether two files hold the same bytes; sizes are compared first."""
    try:
        return filecmp.cmp(one, other, shallow=False)
    except OSError:
        return False


def _found(path: Path, name: PurePosixPath, image_id: str) -> Found:
    strict, loose = patient_of(path.name)
    return Found(
        path=path,
        image_id=image_id,
        label=name.parts[1].lower(),
        view_position="AP",
        view="frontal",
        patient_id=strict,
        patient_id_loose=loose,
        source_part=PART_NAMES[name.parts[0]],
    )
