"""'Chest X-Ray Images (Pneumonia)' as Kaggle hands it out (Kermany et al. 2018): children, all seen from the front.

The publisher describes every image as anterior-posterior, so the view is known without a table.
"""

import re
from pathlib import Path

from cxrbench.cohorts.found import PART_NAMES, Found, check_folder, files_below, unique_ids
from cxrbench.errors import CxrbenchError

PARTS = ("train", "val", "test")
CLASSES = ("NORMAL", "PNEUMONIA")
# The archive unpacks to a folder inside a folder of the same name.
INSIDE = ("", "chest_xray", "chest_xray/chest_xray")

# One number stands for one person, be it among bacteria or virus: the source does not say that it is,
# and to join two strangers is harmless where to part one patient is a leak.
PATIENT = re.compile(r"(?P<person>person\d+)_(?:bacteria|virus)_\d+|(?P<normal>(?:NORMAL2-)?IM-\d+)-\d+")


def read(root: Path) -> list[Found]:
    """Every file of {train,val,test}/{NORMAL,PNEUMONIA} below ``root`` or its folder chest_xray."""
    check_folder(root, "train, val and test")
    base = next((root / name for name in INSIDE if (root / name / "train").is_dir()), root)
    folders = [base / part / name for part in PARTS for name in CLASSES if (base / part / name).is_dir()]
    if not folders:
        raise CxrbenchError(
            f"root {root} holds none of {{{','.join(PARTS)}}}/{{{','.join(CLASSES)}}}; set the cohort's root to the"
            " folder of the unpacked archive"
        )
    paths = [path for folder in folders for path in files_below(folder)]
    if not paths:
        raise CxrbenchError(f"root {root} has the right folders but no file in them; unpack the archive again")
    names = [path.relative_to(base) for path in paths]
    return [
        Found(
            path=path,
            image_id=image_id,
            label=name.parts[1].lower(),
            view_position="AP",
            view="frontal",
            patient_id=patient_of(path.name),
            source_part=PART_NAMES[name.parts[0]],
        )
        for path, name, image_id in zip(paths, names, unique_ids([name.as_posix() for name in names]))
    ]


def patient_of(file_name: str) -> str:
    """The patient that a file name tells of, or '' for a name of another kind."""
    match = PATIENT.match(file_name)
    return (match["person"] or match["normal"]) if match else ""
