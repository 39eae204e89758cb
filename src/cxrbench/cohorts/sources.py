"""Which reader belongs to which source name of params.yaml."""

from pathlib import Path

from cxrbench.cohorts import directory, kaggle, mimic_cxr
from cxrbench.cohorts.found import Found


def find(source: str, root: Path, table: str | None = None, view: str | None = None) -> list[Found]:
    """Every file of the cohort at ``root``; paths stay relative where ``root`` is."""
    if source == "kaggle":
        return kaggle.read(root)
    if source == "mimic_cxr":
        return mimic_cxr.read(root)
    return directory.read(root, table, view)
