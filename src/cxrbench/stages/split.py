"""Stage split: gives every labelled frontal image its part under each protocol, and reports what leaks."""

from pathlib import Path

import pandas as pd

from cxrbench import manifest, params
from cxrbench.splits import protocols
from cxrbench.splits.leaks import find_leaks
from cxrbench.stages.entry import run

VIEW_FILTER = Path("data/view-filter")
FOLDER = Path("data/split")


def main() -> None:
    settings = params.load()
    frontal = manifest.read_table(VIEW_FILTER / "manifest.csv", "frontal")
    views = manifest.read_table(VIEW_FILTER / "assignment.csv", "assignment")
    tables = [manifest.empty("assignment")]
    for name, quotas in settings.split.quotas.items():
        cohort = settings.cohorts[name]
        images = frontal[(frontal["cohort"] == name) & frontal["label"].isin([cohort.negative, cohort.positive])]
        wanted = protocols.scaled(quotas, settings.split.scale)
        parts = {
            protocol: protocols.assign(
                images, wanted, protocol, settings.split.seed, name, settings.split.official_shortfall
            )
            for protocol in manifest.PROTOCOLS
        }
        for protocol, column in parts.items():
            print(summary(name, protocol, column, images["label"], wanted))
        tables.append(images.assign(target=(images["label"] == cohort.positive).astype(int), **parts))
    columns = list(manifest.TABLES["assignment"])
    assignment = pd.concat(table[columns] for table in tables)
    manifest.write_table(FOLDER / "leaks.csv", find_leaks(assignment), "leaks")
    manifest.write_table(FOLDER / "assignment.csv", pd.concat([assignment, views]), "assignment")


def summary(cohort: str, protocol: str, parts: pd.Series, labels: pd.Series, quotas: dict[str, dict[str, int]]) -> str:
    """One line: images of each part by label, and what training lacks of its quota."""
    title = f"{cohort:<12} {protocol:<9}"
    if not parts.any():
        return f"{title} left empty: the source has no split of its own"
    counts = [
        f"{part} " + " + ".join(f"{((parts == part) & (labels == label)).sum():,} {label}" for label in wanted)
        for part, wanted in quotas.items()
    ]
    short = protocols.lacking(parts, labels, quotas)
    told = [f"{part} lacks {' + '.join(f'{n:,} {label}' for label, n in by.items())}" for part, by in short.items()]
    return f"{title} {'; '.join(counts + told)}"


if __name__ == "__main__":
    run(main)
