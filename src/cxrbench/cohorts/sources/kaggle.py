"""'Chest X-Ray Images (Pneumonia)', Kermany et al. 2018: children, all seen from the front.

The publisher describes every image as anterior-posterior, so the view is known without a table. Kaggle's archive
holds the set three times (17,568 files): once plain, once in a folder of the same name inside, and as the Finder's
resource forks. A copy is skipped where it is the same byte for byte; else both files count, each with its own name.
"""

import filecmp
import re
from pathlib import Path, PurePosixPath

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.folders import list_files
from cxrbench.cohorts.listing import PART_NAMES, TOOL_FILES, Listing, SourceImage, check_folder, unique_ids

PARTS = ("train", "val", "test")
CLASSES = ("NORMAL", "PNEUMONIA")
SET = "chest_xray"  # the folder the archives unpack to; the publisher's third version has other organs beside it

# Kaggle's and the publisher's second version, then the third: <kind>-<randomized patient>-<image>.
PATIENTS = (
    re.compile(r"(?P<person>person\d+)_(?P<kind>bacteria|virus)_\d+"),
    re.compile(r"(?P<person>(?:NORMAL2-)?IM-\d+)-\d+"),
    re.compile(r"(?P<kind>NORMAL|BACTERIA|VIRUS)-(?P<person>\d+)-\d+"),
)


def read(root: Path) -> Listing:
    """Every file of {train,val,test}/{NORMAL,PNEUMONIA} below ``root`` or a folder chest_xray in it."""
    check_folder(root, "train, val and test")
    names, tool_files = list_files(root)
    places: dict[PurePosixPath, list[Path]] = {}  # part/class/name -> where it lies, the outermost first
    outside = 0
    for path in sorted(map(Path, names), key=lambda path: (len(path.parts), path)):
        name = _name(root, path)
        if name is None:
            outside += 1
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
    images = [_image(path, name, image_id) for (path, name), image_id in zip(kept.values(), unique_ids(list(kept)))]
    return Listing(images, {"identical copies": copies, TOOL_FILES: tool_files, "files of other folders": outside})


def patient_of(file_name: str) -> tuple[str, str]:
    """The patient that a file name tells of, strictly and loosely read, or '' for a name of another kind.

    Strictly, one number stands for one person, be it among bacteria or virus: the source does not say that it is,
    and to join two strangers is harmless where to part one patient is a leak.
    """
    for pattern in PATIENTS:
        if match := pattern.match(file_name):
            groups = match.groupdict()
            return groups["person"], f"{groups['person']}_{groups['kind'].lower()}" if "kind" in groups else ""
    return "", ""


def _name(root: Path, path: Path) -> PurePosixPath | None:
    parts = path.relative_to(root).parts
    for depth in range(len(parts) - 2):
        if parts[depth] in PARTS and parts[depth + 1] in CLASSES and (depth == 0 or parts[depth - 1] == SET):
            return PurePosixPath(*parts[depth:])
    return None


def _same(one: Path, other: Path) -> bool:
    """Whether two files hold the same bytes; sizes are compared first."""
    try:
        return filecmp.cmp(one, other, shallow=False)
    except OSError:
        return False


def _image(path: Path, name: PurePosixPath, image_id: str) -> SourceImage:
    strict, loose = patient_of(path.name)
    return SourceImage(
        path=path,
        image_id=image_id,
        label=name.parts[1].lower(),
        view_position="AP",
        view="frontal",
        patient_id=strict,
        patient_id_loose=loose,
        source_part=PART_NAMES[name.parts[0]],
    )
