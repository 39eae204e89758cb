"""The COVID-19 image data collection (Cohen et al. 2020, arXiv:2006.11988): cases from publications.

Each image has its own licence. Computed tomography is set aside. Of the findings, COVID-19 is covid, 'No Finding' is
normal, any other pneumonia is pneumonia; what is none of these (tuberculosis, 'todo', ...) has no label.
"""

from pathlib import Path

from cxrbench.base.errors import CxrbenchError
from cxrbench.cohorts.found import Found, Tell, check_folder, told_to_nobody, unique_ids
from cxrbench.cohorts.source_csv import read_source_csv
from cxrbench.cohorts.view_position import view_of

TABLE = "metadata.csv"
TOMOGRAPHY = ("axial", "coronal", "ct")  # views of tables older than their column of modalities
VIEWS = {"AP SUPINE": "frontal", "AP ERECT": "frontal", "L": "lateral"}  # this table's words beside the usual ones


def read(root: Path, tell: Tell = told_to_nobody) -> list[Found]:
    """Every radiograph that metadata.csv lists, in ``root`` or in a folder inside it, as GitHub packs it."""
    check_folder(root, TABLE)
    folder = next((place for place in (root, *sorted(root.iterdir())) if (place / TABLE).is_file()), None)
    if folder is None:
        raise CxrbenchError(f"root {root} holds no {TABLE}; set the cohort's root to a copy of the collection")
    optional = ("patientid", "offset", "modality", "folder")
    rows = read_source_csv(folder / TABLE, ("finding", "view", "filename"), optional)
    place = rows["folder"].replace("", "images") + "/" + rows["filename"]
    other = ~rows["modality"].str.lower().isin(["x-ray", ""]) | rows["view"].str.lower().isin(TOMOGRAPHY)
    again = place.duplicated() & ~other
    tell("images other than radiographs", int(other.sum()))
    tell("repeated lines of the table", int(again.sum()))
    rows = rows.assign(place=place)[~other & ~again]
    return [
        Found(
            path=folder / row.place,
            image_id=image_id,
            label=label_of(row.finding),
            view_position=row.view,
            view=VIEWS.get(row.view.upper()) or view_of(row.view),
            patient_id=row.patientid,
            study_id=f"{row.patientid}-{row.offset}" if row.patientid and row.offset else "",
        )
        for row, image_id in zip(rows.itertuples(), unique_ids(rows["place"].tolist()))
    ]


def label_of(finding: str) -> str:
    """The label of a finding such as 'Pneumonia/Viral/COVID-19' or, in older tables, 'COVID-19, ARDS'."""
    words = finding.lower()
    if "covid-19" in words:
        return "covid"
    if words.startswith("pneumonia"):
        return "pneumonia"
    return "normal" if words == "no finding" else ""
