"""The network of a study that the registry calls '@best-mean', from what the pipeline left in the workspace.

It is the mean of the networks of the setting that wins on validation, over all its seeds, and needs no MLflow.
"""

from pathlib import Path

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.tables import read_table
from cxrbench.evaluation.chosen import choose
from cxrbench.evaluation.runs import read_run
from cxrbench.evaluation.study_settings import read_settings
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
    chosen = choose(study, settings, read_table(data / "evaluate" / "metrics.csv", "metrics"))
    runs = list(chosen.runs.values())
    found = [read_run(data / "train-grid" / run) for run in runs]
    record = found[0][0]["setting"]
    if record.get("redraw") and len(runs) > 1:
        raise CxrbenchError(
            f"study {study} is won by {chosen.label}, whose seeds have a split each: no image validates the mean of its"
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
    seeds = ", ".join(map(str, chosen.runs))
    return Model(
        Network(files, usage.loss, usage.image_size, ADVICE),
        usage,
        stored.load(data / "view-filter" / "model.keras") if check_view else None,
        f"study {study}, {chosen.label}, the mean of the networks of seeds {seeds}",
    )
