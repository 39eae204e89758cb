"""The COVID-19 image data collection (Cohen et al. 2020, arXiv:2006.11988): cases from publications.

Each image has its own licence. Computed tomography is skipped. Of the findings, COVID-19 is covid, 'No Finding' is
normal, any other pneumonia is pneumonia; what is none of these (tuberculosis, 'todo', ...) has no label.
"""

from pathlib import Path

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.folders import list_folders
from cxrbench.cohorts.identifiers import identifiers
from cxrbench.cohorts.listing import Listing, SourceImage, check_folder, path_below, unique_ids
from cxrbench.cohorts.source_table import read_source_table
from cxrbench.cohorts.view_position import view_of

TABLE = "metadata.csv"
TOMOGRAPHY = ("axial", "coronal", "ct")  # views of tables older than their column of modalities
VIEWS = {"AP SUPINE": "frontal", "AP ERECT": "frontal", "L": "lateral"}  # this table's words beside the usual ones


def read(root: Path) -> Listing:
    """Every radiograph that metadata.csv lists, in ``root`` or in a folder inside it, as GitHub packs it."""
    check_folder(root, TABLE)
    folder = next((place for place in (root, *list_folders(root)) if (place / TABLE).is_file()), None)
    if folder is None:
        raise CxrbenchError(f"root {root} holds no {TABLE}; set the cohort's root to a copy of the collection")
    table = folder / TABLE
    optional = ("patientid", "offset", "modality", "folder")
    content = read_source_table(table, ("finding", "view", "filename"), optional)
    rows = content.rows
    listed = rows["folder"].replace("", "images") + "/" + rows["filename"]
    other = ~rows["modality"].str.lower().isin(["x-ray", ""]) | rows["view"].str.lower().isin(TOMOGRAPHY)
    again = listed.duplicated() & ~other
    rows = rows.assign(
        path=listed,
        patient=identifiers(rows["patientid"], "patientid", table),
        day=identifiers(rows["offset"], "offset", table),
    )[~other & ~again]
    paths = [path_below(folder, path, f"table {table}, line {line},") for line, path in rows["path"].items()]
    images = [
        SourceImage(
            path=folder / path,
            image_id=image_id,
            label=label_of(row.finding),
            view_position=row.view,
            view=VIEWS.get(row.view.upper()) or view_of(row.view),
            patient_id=row.patient,
            study_id=f"{row.patient}-{row.day}" if row.patient and row.day else "",
        )
        for row, path, image_id in zip(rows.itertuples(), paths, unique_ids(paths))
    ]
    skipped = {"images other than radiographs": int(other.sum()), "repeated lines of the table": int(again.sum())}
    return Listing(images, skipped, content.notes)


def label_of(finding: str) -> str:
    """The label of a finding such as 'Pneumonia/Viral/COVID-19' or, in older tables, 'COVID-19, ARDS'."""
    words = finding.lower()
    if "covid-19" in words:
        return "covid"
    if words.startswith("pneumonia"):
        return "pneumonia"
    return "normal" if words == "no finding" else ""
