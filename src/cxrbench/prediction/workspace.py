"""The network of a study that the registry calls '@best-mean', from what the pipeline left in the workspace.

It is the mean of the networks of the setting that wins on validation, over all its seeds, and needs no MLflow.
"""

from pathlib import Path

import pandas as pd

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.tables import read_table
from cxrbench.evaluation.runs import read_run
from cxrbench.evaluation.study_settings import StudySetting, read_settings, run_of, splits_of
from cxrbench.evaluation.summaries import summarise, winner
from cxrbench.evaluation.usage import labels_of, usage_of
from cxrbench.prediction.model import Model
from cxrbench.runs.store import MODEL
from cxrbench.views import stored
from cxrbench.views.network import Network

ADVICE = "run 'dvc repro -f -s train-grid' to make it anew"


def model_of(study: str, data: Path, store: Path, check_view: bool) -> Model:
    """The model of ``study``. ``data`` is the folder of the stages' outputs, ``store`` the run store.

    Raises CxrbenchError where there is no such study, no winner, or a file is missing.
    """
    settings = read_settings(data / "train-grid" / "settings.json")
    if study not in settings:
        raise CxrbenchError(f"there is no study {study!r}; data/train-grid has {', '.join(settings)}")
    cells = _cells_of_winner(study, settings[study], read_table(data / "evaluate" / "metrics.csv", "metrics"))
    setting, runs = str(cells["setting"].iloc[0]), list(cells["run"])
    found = [read_run(data / "train-grid" / run) for run in runs]
    record = found[0][0]["setting"]
    if record.get("redraw") and len(runs) > 1:
        raise CxrbenchError(
            f"study {study} is won by {setting}, whose seeds have a split each: no image validates the mean of its"
            " networks; name a study with redraw: false"
        )
    files = tuple(store / run / MODEL for run in runs)
    for file in files:
        if not file.is_file():
            raise CxrbenchError(f"{file}, a network of study {study}, does not exist; {ADVICE}")
    labels = labels_of(read_table(data / "split" / "assignment.csv", "assignment"), record["cohort"])
    usage = usage_of(record, [scores for _, scores in found], labels)
    # The images of a study on views are not all frontal: it is such a check itself.
    check_view = check_view and record["cohort"] != "views"
    seeds = ", ".join(str(seed) for seed in cells["seed"])
    return Model(
        Network(files, usage.loss, usage.image_size, ADVICE),
        usage,
        stored.load(data / "view-filter" / "model.keras") if check_view else None,
        f"study {study}, {setting}, the mean of the networks of seeds {seeds}",
    )


def _cells_of_winner(study: str, settings: dict[str, StudySetting], metrics: pd.DataFrame) -> pd.DataFrame:
    """The rows of 'metrics' on validation, one a seed, of the setting that wins."""
    rows, were_run = metrics[metrics["study"] == study], run_of(settings)
    won = None
    if were_run:
        seeds = sorted(rows["seed"].unique())
        won = winner(summarise(rows, study, list(were_run), seeds, splits_of(were_run)))
    if won is None:
        raise CxrbenchError(f"study {study} has no setting that was trained without diverging, so no network to use")
    return rows[(rows["setting"] == won) & (rows["part"] == "validation")].sort_values("seed")
