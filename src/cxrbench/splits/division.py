"""The whole division of frontal images: their part under each protocol, duplicates, leaks and shortcuts.

The quotas are looked at first: they stop the stage before the duplicates of a large cohort are looked for.
"""

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from cxrbench.base.progress import progress
from cxrbench.base.tables import PROTOCOLS, TABLES, empty
from cxrbench.config.quotas import Automatic, Quotas, labels_of
from cxrbench.images.kept_squares import kept_squares
from cxrbench.splits import automatic, picture_match, protocols
from cxrbench.splits.leaks import find_leaks, with_keys
from cxrbench.splits.near_duplicates import find_duplicates, picture_of
from cxrbench.splits.redraw import redraw, redrawn_leaks
from cxrbench.splits.shortcuts import shortcut_table


@dataclasses.dataclass(frozen=True)
class Division:
    """The tables that the split stage writes, and a line for people on each cohort and protocol."""

    assignment: pd.DataFrame
    duplicates: pd.DataFrame
    leaks: pd.DataFrame
    shortcuts: pd.DataFrame
    redrawn: pd.DataFrame
    redrawn_leaks: pd.DataFrame
    lines: list[str]


def divide(
    images: pd.DataFrame,
    frontal: pd.DataFrame,
    views: pd.DataFrame,
    quotas: Mapping[str, Quotas | Automatic],
    patients: str,
    official_shortfall: float,
    seed: int,
    cache: Path,
    workers: int,
    redrawn_seeds: Sequence[int] = (),
) -> Division:
    """Divides the cohorts of ``quotas``.

    ``images`` is the manifest of these cohorts and of those that ``views``, the assignment of the view network's
    images, draws on; ``frontal`` the manifest's frontal images. ``patients`` is the reading of a doubtful patient key
    that makes groups: strict or loose. For each of ``redrawn_seeds`` a split is drawn anew. Raises CxrbenchError where
    a quota cannot be filled.
    """
    labelled = {name: _labelled(frontal, name, wanted, patients) for name, wanted in quotas.items()}
    for name, asked in quotas.items():
        _refuse_too_few(labelled[name], asked, f"cohort '{name}'")
    duplicates = pd.concat([empty("duplicates"), *_duplicates(images, cache, workers)])
    tables, redrawn, lines = [empty("assignment")], [empty("redrawn")], []
    for name, asked in quotas.items():
        shown = _shown(labelled[name], images[images["cohort"] == name], duplicates, name)
        wanted = automatic.quotas_of(shown, asked, seed, name) if isinstance(asked, Automatic) else asked
        parts = {
            protocol: protocols.assign(shown, wanted, protocol, seed, name, official_shortfall, pictures="picture")
            for protocol in PROTOCOLS
        }
        redrawn.append(redraw(shown, wanted, seed, redrawn_seeds, name, official_shortfall))
        target = (labelled[name]["label"] == labels_of(wanted)[1]).astype(int)
        tables.append(labelled[name].assign(source=name, target=target, **parts)[list(TABLES["assignment"])])
        lines += [
            part_counts(name, protocol, column, labelled[name]["label"], wanted) for protocol, column in parts.items()
        ]
    divided = pd.concat(tables)
    assignment = pd.concat([divided, views])
    leaks = find_leaks(with_keys(assignment, images, duplicates))
    lines += [shared_pictures(name, duplicates, leaks) for name in assignment["cohort"].unique()]
    if redrawn_seeds:
        lines.append(
            f"a split of its own under each protocol for each of the seeds {', '.join(map(str, redrawn_seeds))}"
        )
    drawn = pd.concat(redrawn)
    found = redrawn_leaks(drawn, divided, images, duplicates)
    return Division(assignment, duplicates, leaks, shortcut_table(divided, frontal), drawn, found, lines)


def _refuse_too_few(labelled: pd.DataFrame, asked: Quotas | Automatic, where: str) -> None:
    if isinstance(asked, Automatic):
        automatic.refuse_too_few(labelled, asked, where)
    else:
        protocols.refuse_too_few(labelled, asked, where)


def _labelled(frontal: pd.DataFrame, cohort: str, quotas: Quotas | Automatic, patients: str) -> pd.DataFrame:
    """The frontal images of the cohort that have one of its two labels."""
    chosen = frontal[(frontal["cohort"] == cohort) & frontal["label"].isin(labels_of(quotas))]
    return chosen.assign(patient_id=chosen["patient_id_loose"]) if patients == "loose" else chosen


def _shown(labelled: pd.DataFrame, images: pd.DataFrame, duplicates: pd.DataFrame, cohort: str) -> pd.DataFrame:
    """The ``labelled`` images with the picture that each shows; ``images`` are all of the cohort."""
    picture = picture_of(images, duplicates[duplicates["cohort"] == cohort]).set_axis(images["image_id"])
    return labelled.assign(picture=labelled["image_id"].map(picture))


def _duplicates(images: pd.DataFrame, cache: Path, workers: int) -> list[pd.DataFrame]:
    return [
        find_duplicates(rows, squares_of(rows, cache, workers), str(cohort), workers)
        for cohort, rows in images.groupby("cohort")
    ]


def squares_of(images: pd.DataFrame, cache: Path, workers: int) -> Callable[[np.ndarray], np.ndarray]:
    """Gives the pictures at positions int64 [m] of ``images`` as uint8 [m, 64, 64].

    All are decoded when the first are asked for: of a large cohort nearly every image is some other's candidate.
    """

    @functools.cache
    def decoded() -> np.ndarray:
        paths, sha256s = images["path"].tolist(), images["sha256"].tolist()
        with progress("decode to look for near-duplicates", len(images)) as advance:
            file = kept_squares(paths, sha256s, picture_match.SIDE_PX, "squash", cache, workers, advance)
        array: np.ndarray = np.load(file, mmap_mode="r")
        return array

    return lambda positions: decoded()[positions, :, :, 0]


def part_counts(cohort: str, protocol: str, parts: pd.Series, labels: pd.Series, quotas: Quotas) -> str:
    """One line: images of each part by label, and what training lacks of its quota."""
    title = f"{cohort:<12} {protocol:<9}"
    if not parts.any():
        return f"{title} left empty: the source has no split of its own"
    counts = [
        f"{part} " + " + ".join(f"{((parts == part) & (labels == label)).sum():,} {label}" for label in wanted)
        for part, wanted in quotas.items()
    ]
    short = protocols.lacking(parts, labels, quotas)
    lacks = [f"{part} lacks {' + '.join(f'{n:,} {label}' for label, n in by.items())}" for part, by in short.items()]
    return f"{title} {'; '.join(counts + lacks)}"


def shared_pictures(cohort: str, duplicates: pd.DataFrame, leaks: pd.DataFrame) -> str:
    """One line: pairs of one picture, pictures under two labels, what training and test share under each protocol."""
    here = leaks[(leaks["cohort"] == cohort) & (leaks["groups"] > 0)]
    kinds = duplicates.loc[duplicates["cohort"] == cohort, "kind"].value_counts()
    pairs = ", ".join(f"{count:,} {kind}" for kind, count in kinds.sort_index().items())
    doubtful = here.loc[here["across"] == "labels", "groups"].sum()
    facts = [f"pairs of one picture: {pairs or 'none'}", f"pictures under two labels: {doubtful:,}"]
    between = here[(here["a"] == "train") & (here["b"] == "test")]
    for protocol in PROTOCOLS:
        rows = between[between["protocol"] == protocol]
        shared = ", ".join(f"{row.groups:,} {row.kind.replace(', ', ' ')}" for row in rows.itertuples())
        facts.append(f"train and test under {protocol}: {shared or 'nothing'}")
    return f"{cohort:<12} {'; '.join(facts)}"
