"""What must hold of the data before any training: every suite over the tables that the stages before have written."""

from pathlib import Path
from typing import Any

import pandas as pd

from cxrbench.base.tables import PROTOCOLS
from cxrbench.checks import images, parts
from cxrbench.checks.images import Labels, Quotas
from cxrbench.checks.outcome import Outcome
from cxrbench.checks.run import run_checks


def check_data(
    tables: dict[str, pd.DataFrame],
    labels: Labels,
    quotas: Quotas,
    official_shortfall: float,
    patients: str,
    docs_dir: Path | None = None,
) -> list[Outcome]:
    """One Outcome a check, in the order of the suites.

    ``tables`` holds those that ``suites`` names. ``labels``: cohort -> (negative, positive). ``quotas``: cohort,
    'views' among them, -> part -> label -> images, already scaled. ``official_shortfall`` and ``patients`` are those
    of params.yaml's split. ``docs_dir`` gets index.html and a page a table.
    """
    checks = suites(tables, labels, quotas, official_shortfall, patients)
    rejects = marked(tables["rejects"], tables["manifest"])
    return run_checks({**tables, "rejects": rejects}, checks, "Checks of the data", docs_dir)


def suites(
    tables: dict[str, pd.DataFrame], labels: Labels, quotas: Quotas, official_shortfall: float, patients: str
) -> dict[str, list[Any]]:
    """Table -> its expectations; the tables say how many files each cohort has and whether it has its own split."""
    files = tables["manifest"]["cohort"].value_counts().add(tables["rejects"]["cohort"].value_counts(), fill_value=0)
    frontal = tables["frontal"]
    own_split = set(frontal["cohort"][(frontal["source_part"] != "") & (frontal["label"] != "")])
    used = {
        cohort: [protocol for protocol in PROTOCOLS if protocol != "official" or cohort in own_split]
        for cohort in labels
        if cohort in quotas
    }
    return {
        "manifest": images.manifest(labels),
        "rejects": images.rejects(labels, files.astype(int).to_dict()),
        "frontal": images.frontal(labels, quotas),
        "review": images.review(labels),
        "assignment": parts.assignment(labels, quotas, used, official_shortfall),
        "duplicates": parts.duplicates(list(labels)),
        "leaks": parts.leaks(labels, used, patients),
        "shortcuts": parts.shortcuts(used),
    }


def marked(rejects: pd.DataFrame, manifest: pd.DataFrame) -> pd.DataFrame:
    """The rejects, each with whether its file stands in the manifest as well."""
    used = pd.MultiIndex.from_frame(manifest[["cohort", "path"]])
    twice = pd.MultiIndex.from_frame(rejects[["cohort", "path"]]).isin(used)
    return rejects.assign(also_image=pd.Series(twice, index=rejects.index).map({True: "yes", False: "no"}).astype(str))
