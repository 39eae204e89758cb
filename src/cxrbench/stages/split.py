"""Stage split: gives every labelled frontal image its part under each protocol, and reports what leaks or betrays."""

import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from cxrbench.base.entry import run
from cxrbench.base.progress import progress
from cxrbench.base.tables import PROTOCOLS, TABLES, empty, read_table, write_table
from cxrbench.base.workspace import array_cache_dir
from cxrbench.config import params
from cxrbench.images.squares import grey_squares
from cxrbench.splits import picture_match, protocols
from cxrbench.splits.leaks import VIEWS, find_leaks, with_keys
from cxrbench.splits.near_duplicates import find_duplicates, picture_of
from cxrbench.splits.patients import Quotas
from cxrbench.splits.shortcuts import shortcut_table

DOWNLOAD = Path("data/download")
VIEW_FILTER = Path("data/view-filter")
FOLDER = Path("data/split")


def main() -> None:
    settings = params.load()
    images = read_table(DOWNLOAD / "manifest.csv", "manifest")
    frontal = read_table(VIEW_FILTER / "manifest.csv", "frontal")
    views = read_table(VIEW_FILTER / "assignment.csv", "assignment")
    images = images[images["cohort"].isin([*settings.split.quotas, *settings.views.quotas])]
    for name in settings.split.quotas:  # before the duplicates of a large cohort are looked for
        protocols.refuse_too_few(_labelled(settings, name, frontal), _wanted(settings, name), f"cohort '{name}'")
    found = [
        find_duplicates(rows, squares_of(rows, settings.workers), str(name), settings.workers)
        for name, rows in images.groupby("cohort")
    ]
    duplicates = pd.concat([empty("duplicates"), *found])
    tables = [assigned(settings, name, frontal, images, duplicates) for name in settings.split.quotas]
    assignment = pd.concat([empty("assignment"), *tables])
    everything = pd.concat([assignment, views])
    leaks = find_leaks(with_keys(everything, images, duplicates))
    for name in everything["cohort"].unique():
        print(told(name, duplicates, leaks))
    write_table(FOLDER / "duplicates.csv", duplicates, "duplicates")
    write_table(FOLDER / "leaks.csv", leaks, "leaks")
    write_table(FOLDER / "shortcuts.csv", shortcut_table(assignment, frontal), "shortcuts")
    write_table(FOLDER / "assignment.csv", everything, "assignment")


def squares_of(images: pd.DataFrame, workers: int) -> Callable[[np.ndarray], np.ndarray]:
    """Gives the pictures at positions int64 [m] of ``images`` as uint8 [m, 64, 64].

    All are decoded when the first are asked for: of a large cohort nearly every image is some other's candidate.
    """

    @functools.cache
    def decoded() -> np.ndarray:
        paths, sha256s = images["path"].tolist(), images["sha256"].tolist()
        with progress("decode to look for near-duplicates", len(images)) as advance:
            cache, side_px = array_cache_dir(), picture_match.SIDE_PX
            array: np.ndarray = np.load(
                grey_squares(paths, sha256s, side_px, "squash", cache, workers, advance), mmap_mode="r"
            )
        return array

    return lambda positions: decoded()[positions, :, :, 0]


def _wanted(settings: params.Params, name: str) -> Quotas:
    return protocols.scaled(settings.split.quotas[name], settings.split.scale)


def _labelled(settings: params.Params, name: str, frontal: pd.DataFrame) -> pd.DataFrame:
    """The frontal images of the cohort that have one of its two labels."""
    cohort = settings.cohorts[name]
    return frontal[(frontal["cohort"] == name) & frontal["label"].isin([cohort.negative, cohort.positive])]


def assigned(
    settings: params.Params, name: str, frontal: pd.DataFrame, manifest_rows: pd.DataFrame, duplicates: pd.DataFrame
) -> pd.DataFrame:
    """The rows of table 'assignment' of cohort ``name``; prints how many images each part of each protocol got."""
    cohort, split = settings.cohorts[name], settings.split
    every = manifest_rows[manifest_rows["cohort"] == name]
    picture = picture_of(every, duplicates[duplicates["cohort"] == name]).set_axis(every["image_id"])
    images = _labelled(settings, name, frontal)
    if split.patients == "loose":
        images = images.assign(patient_id=images["patient_id_loose"])
    images = images.assign(picture=images["image_id"].map(picture))
    wanted = _wanted(settings, name)
    parts = {
        protocol: protocols.assign(
            images, wanted, protocol, split.seed, name, split.official_shortfall, pictures="picture"
        )
        for protocol in PROTOCOLS
    }
    for protocol, column in parts.items():
        print(summary(name, protocol, column, images["label"], wanted))
    table = images.assign(target=(images["label"] == cohort.positive).astype(int), **parts)
    return table[list(TABLES["assignment"])]


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


def told(cohort: str, duplicates: pd.DataFrame, leaks: pd.DataFrame) -> str:
    """One line: what is one picture, what of it has two labels, what training and test share under each protocol."""
    here = leaks[(leaks["cohort"] == cohort) & (leaks["groups"] > 0)]
    kinds = duplicates.loc[duplicates["cohort"] == cohort, "kind"].value_counts()
    pairs = ", ".join(f"{count:,} {kind}" for kind, count in kinds.sort_index().items())
    doubtful = here.loc[here["across"] == "labels", "groups"].sum()
    found = [f"pairs of one picture: {pairs or 'none'}"] if cohort != VIEWS else []
    found.append(f"pictures under two labels: {doubtful:,}")
    between = here[(here["a"] == "train") & (here["b"] == "test")]
    for protocol in PROTOCOLS:
        rows = between[between["protocol"] == protocol]
        shared = ", ".join(f"{row.groups:,} {row.kind.replace(', ', ' ')}" for row in rows.itertuples())
        found.append(f"train and test under {protocol}: {shared or 'nothing'}")
    return f"{cohort:<12} {'; '.join(found)}"


if __name__ == "__main__":
    run(main)
