"""The table 'attention' and its pictures: of each study the winner's best network on a sample of hits and misses.

Nothing is computed, and no image opened, of a restricted cohort; nor of the view network's images, of which some are
lateral. A network is taken from the run store: where that no longer holds it, the study has no rows.
"""

import contextlib
import dataclasses
import shutil
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cxrbench.attention import gradcam, lungs
from cxrbench.attention.sample import hits_and_misses
from cxrbench.base.errors import CxrbenchError
from cxrbench.base.files import replaced_when_whole
from cxrbench.base.tables import TABLES, empty, write_table
from cxrbench.evaluation.chosen import choose
from cxrbench.evaluation.study_settings import StudySettings
from cxrbench.images.decode import load_square
from cxrbench.training.hide import Hidden

PICTURES = 2  # of each group, of the best study of each cohort
PICTURE_PX = 160
CELL = ["study", "setting", "seed", "run"]

Runs = Mapping[str, tuple[Mapping[str, Any], pd.DataFrame]]  # run -> its record and its table 'scores'


@dataclasses.dataclass(frozen=True)
class Case:
    """A network and the images that it is asked about."""

    setting: Mapping[str, Any]  # the run's own
    sample: pd.DataFrame  # of hits_and_misses, with the columns path and sha256
    question: gradcam.Question


def write_attention(
    folder: Path,
    settings: StudySettings,
    metrics: pd.DataFrame,
    runs: Runs,
    assignment: pd.DataFrame,
    restricted: Collection[str],
    network_of: Callable[[str], Path],
) -> None:
    """Writes attention.csv and the folder attention of JPEG files into ``folder``; says which study has none, and why.

    ``network_of`` gives the file of a run's network, which need not be there.
    """
    shutil.rmtree(folder / "attention", ignore_errors=True)
    best = _best(settings, metrics)
    why_not: dict[str, str] = {}  # run -> a clause
    cases: dict[str, Case] = {}
    for run in dict.fromkeys(str(row["run"]) for row in best.values()):
        record, scores = runs[run]
        if reason := _refused(scores, record["setting"]["cohort"], restricted, network_of(run)):
            why_not[run] = reason
            continue
        try:
            cases[run] = _case(record["setting"], scores, assignment, network_of(run))
        except CxrbenchError as error:
            why_not[run] = str(error)
    found = {}
    for run, answer in zip(cases, gradcam.answers([case.question for case in cases.values()])):
        if isinstance(answer, str):
            why_not[run] = answer
        else:
            found[run] = answer
    _say(best, why_not)
    with_maps = {study: row for study, row in best.items() if row["run"] in found}
    pictured = _best_of_each_cohort(with_maps, cases)
    tables = []
    for study, row in with_maps.items():
        case, cells = cases[row["run"]], found[row["run"]]
        names = _write_pictures(folder, study, case, cells) if study in pictured else [""] * len(cells)
        tables.append(_rows(row, case, cells, names))
    table = pd.concat(tables, ignore_index=True) if tables else empty("attention")
    write_table(folder / "attention.csv", table, "attention")


def _best(settings: StudySettings, metrics: pd.DataFrame) -> dict[str, pd.Series]:
    """Study -> the row of 'metrics' of its winner's best run on validation; without studies that have no winner."""
    best = {}
    for study in settings:
        with contextlib.suppress(CxrbenchError):  # it has no winner
            won = choose(study, settings, metrics)
            rows = metrics[(metrics["study"] == study) & (metrics["part"] == "validation")]
            best[study] = rows[(rows["setting"] == won.label) & (rows["seed"] == won.best)].iloc[0]
    return best


def _refused(scores: pd.DataFrame, cohort: str, restricted: Collection[str], network: Path) -> str:
    """Why nothing is computed of a run, as a clause; empty where there is no reason."""
    if {cohort, *scores["source"]} & set(restricted):
        return "their images are restricted"
    if cohort == "views":
        return "their images are not all frontal"
    return "" if network.is_file() else "the run store doesn't hold their networks"


def _case(setting: Mapping[str, Any], scores: pd.DataFrame, assignment: pd.DataFrame, network: Path) -> Case:
    of_cohort = assignment.loc[assignment["cohort"] == setting["cohort"], ["source", "image_id", "path", "sha256"]]
    sample = hits_and_misses(scores).merge(of_cohort, on=["source", "image_id"], how="left", validate="1:1")
    images = _seen(setting, sample, setting["image_size"])
    return Case(setting, sample, gradcam.Question(network, images, sample["called"].to_numpy()))


def _seen(setting: Mapping[str, Any], sample: pd.DataFrame, size_px: int) -> np.ndarray:
    """The images as a run of ``setting`` sees them, but for ``size_px``: uint8 [n, size_px, size_px, 1].

    Raises CxrbenchError where a file can't be decoded or has changed.
    """
    files = zip(sample["path"], sample["sha256"])
    squares = np.stack([load_square(path, size_px, setting["resize"], sha256) for path, sha256 in files])
    return Hidden(squares[..., None], setting["hide"])[np.arange(len(squares))]


def _best_of_each_cohort(best: Mapping[str, pd.Series], cases: Mapping[str, Case]) -> set[str]:
    """Of each cohort the study whose best run reaches the highest accuracy on validation; the first of several."""
    chosen: dict[str, str] = {}
    for study in sorted(best, key=lambda study: -best[study]["accuracy"]):
        chosen.setdefault(cases[best[study]["run"]].setting["cohort"], study)
    return set(chosen.values())


def _write_pictures(folder: Path, study: str, case: Case, cells: np.ndarray) -> list[str]:
    """The file of each image of the sample, below ``folder``; empty for those that are not pictured."""
    number = case.sample.groupby("group", sort=False).cumcount()
    names = [""] * len(cells)
    for place in np.flatnonzero(number < PICTURES):
        grey = _seen(case.setting, case.sample.iloc[[place]], PICTURE_PX)[0, ..., 0]
        group = case.sample["group"].iloc[place].replace(" ", "-")
        names[place] = f"attention/{study}-{group}-{number.iloc[place] + 1}.jpg"
        with replaced_when_whole(folder / names[place]) as temporary:
            temporary.write_bytes(lungs.picture(grey, cells[place]))
    return names


def _rows(row: pd.Series, case: Case, cells: np.ndarray, names: list[str]) -> pd.DataFrame:
    size_px = case.question.images.shape[1]
    return case.sample.assign(
        **{name: row[name] for name in CELL},
        inside=[lungs.share(one, size_px) for one in cells],
        area=lungs.inside(size_px).mean(),
        cells=f"{cells.shape[1]} x {cells.shape[2]}",
        picture=names,
    )[list(TABLES["attention"])]


def _say(best: Mapping[str, pd.Series], why_not: Mapping[str, str]) -> None:
    """One line a reason: of which studies there is no attention."""
    studies: dict[str, list[str]] = {}
    for study, row in best.items():
        if reason := why_not.get(row["run"]):
            studies.setdefault(reason, []).append(study)
    for reason, names in studies.items():
        print(f"no Grad-CAM of {', '.join(names)}: {reason}")
