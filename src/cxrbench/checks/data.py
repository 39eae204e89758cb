"""What must hold of the data before any training: every suite over the tables that the stages before have written."""

from pathlib import Path
from typing import Any

import pandas as pd

from cxrbench.base.tables import PROTOCOLS
from cxrbench.checks import images, parts, redrawn
from cxrbench.checks.images import Labels
from cxrbench.checks.outcome import Outcome
from cxrbench.checks.run import run_checks
from cxrbench.config.quotas import Quotas


def check_data(
    tables: dict[str, pd.DataFrame],
    labels: Labels,
    quotas: dict[str, Quotas],
    official_shortfall: float,
    patients: str,
    docs_dir: Path | None = None,
) -> list[Outcome]:
    """One Outcome a check, in the order of the suites.

    ``tables`` holds those that ``suites`` names. ``labels``: cohort -> (negative, positive). ``quotas``: every cohort
    of the assignment -> part -> label -> images, already scaled, the label of target 0 first. ``official_shortfall``
    and ``patients`` are those of params.yaml's split. ``docs_dir`` gets index.html and a page a table.
    """
    checks = suites(tables, labels, quotas, official_shortfall, patients)
    seen = {
        **tables,
        "rejects": marked(tables["rejects"], tables["manifest"]),
        "redrawn": redrawn.labelled(tables["redrawn"], tables["assignment"]),
    }
    return run_checks(seen, checks, "Checks of the data", docs_dir)


def suites(
    tables: dict[str, pd.DataFrame], labels: Labels, quotas: dict[str, Quotas], official_shortfall: float, patients: str
) -> dict[str, list[Any]]:
    """Table -> its expectations; the tables say how many files each cohort has and whether it has its own split."""
    files = tables["manifest"]["cohort"].value_counts().add(tables["rejects"]["cohort"].value_counts(), fill_value=0)
    frontal = tables["frontal"]
    own_split = set(frontal["cohort"][(frontal["source_part"] != "") & (frontal["label"] != "")])
    used = {
        cohort: [protocol for protocol in PROTOCOLS if protocol != "official" or cohort in own_split]
        for cohort in quotas
    }
    divided = {cohort: used[cohort] for cohort in labels if cohort in quotas}  # by the split stage
    seeds = sorted(tables["redrawn"]["seed"].unique().tolist())
    return {
        "manifest": images.manifest(labels),
        "rejects": images.rejects(labels, files.astype(int).to_dict()),
        "frontal": images.frontal(labels, quotas),
        "review": images.review(labels),
        "assignment": parts.assignment(quotas, used, official_shortfall),
        "duplicates": parts.duplicates(list(labels)),
        "leaks": parts.leaks(quotas, divided, patients),
        "shortcuts": parts.shortcuts(divided),
        "redrawn": redrawn.splits({cohort: quotas[cohort] for cohort in divided}, divided, official_shortfall, seeds),
        "redrawn_leaks": redrawn.leaks(divided, patients, seeds),
    }


def marked(rejects: pd.DataFrame, manifest: pd.DataFrame) -> pd.DataFrame:
    """The rejects, each with whether its file stands in the manifest as well."""
    used = pd.MultiIndex.from_frame(manifest[["cohort", "path"]])
    twice = pd.MultiIndex.from_frame(rejects[["cohort", "path"]]).isin(used)
    return rejects.assign(also_image=pd.Series(twice, index=rejects.index).map({True: "yes", False: "no"}).astype(str))
