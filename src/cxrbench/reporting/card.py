"""The model card of a network that MLflow's registry holds of a study: what it is for, what it learnt, how far it goes.

The form is that of the Hugging Face Hub: a front matter in YAML with the results, then Markdown. It is in English
whatever the report's language is: a card goes with a model, and programs read it. It is written here and not by
huggingface_hub, which would bring a download client of its own for a few lines of YAML; the tests read it with that
library. Figures are those of the report. What is not known says so. No image, name of an image or patient, or path is
in it.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.files import write_text
from cxrbench.base.language import speaking
from cxrbench.evaluation.chosen import Chosen, choose, metrics_of_mean
from cxrbench.evaluation.comparisons import Rules, StudyRuns
from cxrbench.evaluation.runs import studies
from cxrbench.evaluation.study_settings import run_of, splits_of
from cxrbench.evaluation.summaries import Summary, summarise
from cxrbench.evaluation.usage import Usage, labels_of, usage_of
from cxrbench.published.papers import Paper
from cxrbench.reporting import card_data, card_results
from cxrbench.reporting.card_data import NOT_KNOWN
from cxrbench.reporting.card_results import Intervals
from cxrbench.reporting.context import Context
from cxrbench.reporting.provenance import code, commands, machines
from cxrbench.reporting.results import Results
from cxrbench.reporting.text_tables import markdown, markdown_rows
from cxrbench.reporting.words import cautions

ALIASES = ("best-mean", "best")  # of the registry
TAGS = ["chest-x-ray", "radiography", "cxrbench", "research-only", "not-a-medical-device"]
HUB_NAMES = {"auc": "roc_auc"}  # of metrics that the Hub calls otherwise


@dataclasses.dataclass(frozen=True)
class Subject:
    """The network that a card speaks of, and all that is said of its study."""

    alias: str
    chosen: Chosen
    runs: Mapping[int, str]  # seed -> fingerprint of the networks in it: all of the winner's, or the best one
    usage: Usage
    values: Mapping[str, Mapping[str, float]]  # part -> metric -> what the network itself reaches
    summary: Summary
    study_runs: StudyRuns
    records: Mapping[str, Mapping[str, Any]]  # of each of ``runs`` its run.json
    sources: Sequence[str]  # where its images come from
    restricted: bool

    @property
    def fingerprint(self) -> str:
        """As the tags of a registered model name it."""
        return " ".join(sorted(self.runs.values()))

    @property
    def seeds(self) -> str:
        return ", ".join(map(str, self.runs))


def write_cards(
    folder: Path, results: Results, papers: Mapping[str, Paper], context: Context, rules: Rules
) -> list[Path]:
    """Writes STUDY/best-mean.md and STUDY/best.md into ``folder`` for each study that has a winner; the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for study in results.settings:
        intervals: Intervals = {}
        for alias in _aliases(study, results):
            written.append(folder / study / f"{alias}.md")
            write_text(written[-1], card(study, alias, results, papers, context, rules, intervals))
    return written


def card(
    study: str,
    alias: str,
    results: Results,
    papers: Mapping[str, Paper],
    context: Context,
    rules: Rules,
    intervals: Intervals | None = None,
) -> str:
    """The card of the network that has the ``alias`` in the registry's model of ``study``.

    ``intervals`` keeps those of the study from one of its cards to the next: they cost seconds. Raises
    CxrbenchError where the study has no such network.
    """
    with speaking("en"):
        one = _subject(study, alias, results, context)
        paper = papers.get(study)
        sections = [
            _head(one, context),
            _what_it_is(one, paper),
            _use(one),
            card_data.section(results, context, one.chosen.setting, one.sources, one.restricted),
            _training(one),
            card_results.section(one, rules, {} if intervals is None else intervals),
            _limits(one, results),
            _made(one, results, context),
        ]
        body = "\n".join(text.rstrip() + "\n" for text in sections)
        return _without_folders(f"---\n{_front_matter(one, context)}---\n\n{body}", results)


def _aliases(study: str, results: Results) -> tuple[str, ...]:
    """Which of ALIASES the registry may give in a study: none without a winner, no mean that no image can test."""
    try:
        chosen = choose(study, results.settings, results.metrics)
    except CxrbenchError:
        return ()
    return ALIASES[1:] if chosen.redrawn and len(chosen.runs) > 1 else ALIASES


def _without_folders(text: str, results: Results) -> str:
    """``text`` with the name alone of each file of weights that a setting names, in its label too."""
    named = {str(one.setting.get("weights")) for settings in results.settings.values() for one in settings.values()}
    for path in sorted(named, key=len, reverse=True):
        text = text.replace(path, Path(path).name)
    return text


def _subject(study: str, alias: str, results: Results, context: Context) -> Subject:
    chosen = choose(study, results.settings, results.metrics)
    if alias == "best-mean" and chosen.redrawn and len(chosen.runs) > 1:
        raise CxrbenchError(f"each seed of study {study} has a split of its own: there is no mean, name --alias best")
    runs = chosen.runs if alias == "best-mean" else {chosen.best: chosen.runs[chosen.best]}
    records = {run: results.runs[run][0] for run in runs.values()}
    scores = [results.runs[run][1] for run in runs.values()]
    cohort, were_run = str(chosen.setting["cohort"]), run_of(results.settings[study])
    rows = results.assignment[results.assignment["cohort"] == cohort]
    sources = sorted(rows["source"].unique())
    own = results.metrics[(results.metrics["study"] == study) & (results.metrics["setting"] == chosen.label)]
    return Subject(
        alias,
        chosen,
        runs,
        usage_of(chosen.setting, scores, labels_of(results.assignment, cohort)),
        metrics_of_mean(scores),
        summarise(results.metrics, study, list(were_run), list(chosen.runs), splits_of(were_run)),
        studies(own, {run: results.runs[run] for run in chosen.runs.values()})[study],
        records,
        sources,
        bool(set(sources) & set(context.restricted)),
    )


def _front_matter(one: Subject, context: Context) -> str:
    """As huggingface_hub's ModelCardData and EvalResult read and write it."""
    chosen, setting = one.chosen, one.chosen.setting
    of_what = "mean of the networks" if one.alias == "best-mean" else "best run"
    sources = ", ".join(f"{name}: {context.sources.get(name, NOT_KNOWN)}" for name in one.sources)
    results: list[dict[str, Any]] = []
    for part, values in one.values.items():
        data: dict[str, Any] = {
            "name": f"{setting['cohort']} ({sources}), protocol {setting['protocol']}",
            "type": setting["cohort"],
        }
        metrics = [
            {"type": HUB_NAMES.get(name, name), "value": round(value, 4), "name": f"{name}, {of_what}"}
            for name in card_results.METRICS
            if (value := values[name]) == value
        ]
        task = {"type": "image-classification", "name": "Classification of frontal chest X-ray images"}
        results.append({"task": task, "dataset": {**data, "split": part}, "metrics": metrics})
    name = f"cxrbench-{chosen.study}"
    tree = {
        "language": "en",
        "library_name": "keras",
        "pipeline_tag": "image-classification",
        "tags": TAGS,
        "metrics": [HUB_NAMES.get(metric, metric) for metric in card_results.METRICS],
        "model_name": name,
        "model-index": [{"name": name, "results": results}],
        "cxrbench": {
            "study": chosen.study,
            "alias": one.alias,
            "kind": "mean" if one.alias == "best-mean" else "run",
            "fingerprint": one.fingerprint,
            "restricted": one.restricted,
        },
    }
    return yaml.safe_dump(tree, sort_keys=False, allow_unicode=True, width=120)


def _head(one: Subject, context: Context) -> str:
    computed = [name for name in one.sources if context.sources.get(name) == "phantom"]
    phantoms: dict[str, list[str]] = {one.chosen.study: computed} if computed else {}
    warnings = [
        "**Not a medical device.** A research network, made to compare settings of training. Nothing that it says is"
        " fit for a decision about a patient.",
        *cautions(context.profile, phantoms),
    ]
    if one.restricted:
        warnings.append(
            "It learnt from a restricted cohort. No image of it, no name of an image or patient and no path is in this"
            " card. Its licence may forbid handing on the network too: read it first."
        )
    quoted = "\n>\n".join(f"> {text}" for text in warnings)
    return f"# cxrbench-{one.chosen.study}: {one.chosen.label}\n\n{quoted}\n"


def _what_it_is(one: Subject, paper: Paper | None) -> str:
    chosen, several = one.chosen, len(one.runs) > 1
    what = "the mean of what the networks of all seeds say" if several else "one network"
    rows = [
        ["Study", f"{chosen.study}: {paper.question}" if paper else f"{chosen.study}, a question of our own"],
        ["Why this one", _why(one)],
        ["What it is", f"{what}; model {chosen.setting.get('model', NOT_KNOWN)}, seeds {one.seeds}"],
        ["Parameters", " + ".join(_number(record.get("parameters")) for record in one.records.values())],
        ["Fingerprints", one.fingerprint],
    ]
    return f"## What it is\n\n{markdown_rows(['', ''], rows, ())}"


def _why(one: Subject) -> str:
    won = f"setting {one.chosen.label} has the highest mean validation accuracy of the study"
    if one.alias == "best-mean":
        return won
    return f"{won}, and seed {one.chosen.best} is its best run on validation"


def _use(one: Subject) -> str:
    usage = one.usage
    below, upwards = usage.abstain
    size = f"{usage.image_size} x {usage.image_size}" if usage.image_size else NOT_KNOWN
    band = f"from {below:.4g} to below {upwards:.4g}, where validation calls more than 5 % of a class wrongly"
    rows = [
        ["Input", f"one frontal chest X-ray image as grey values, 0 black to 255 white; {size} pixels"],
        ["Resize", f"{usage.resize}; any other way gives other scores"],
        ["Hidden part", usage.hide],
        ["Output", f"P({usage.positive}), 0 to 1; the other label is {usage.negative}"],
        ["Frozen threshold", f"{usage.threshold:.4g}, of greatest sensitivity + specificity on validation"],
        ["No label", band if below < upwards else "nowhere: validation calls at most 5 % of either class wrongly"],
    ]
    mean = one.alias == "best-mean"
    also = (
        f"`cxrbench predict FILES --study {one.chosen.study}` looks at the view first and says nothing of what is not"
        f" frontal. `cxrbench export {one.chosen.study} --to FILE.onnx` writes it for any ONNX runtime.\n"
    )
    return (
        "## Intended use\n\n"
        "To repeat and to check published comparisons of training settings, to teach, and to study what misleads such"
        " networks.\n\n"
        "Not intended: diagnosis, triage, screening, second reading, or any use on a patient; images of other kinds"
        " than it learnt from; any other finding.\n\n"
        f"{markdown_rows(['', ''], rows, ())}" + (f"\n{also}" if mean else "")
    )


def _training(one: Subject) -> str:
    rows = []
    for name, value in one.chosen.setting.items():
        rows.append([name, "null" if value is None else str(value)])
    rows.append(["seeds", one.seeds])
    done = [f"{record.get('epochs_done', NOT_KNOWN)}" for record in one.records.values()]
    kept = [f"{record.get('checkpoint_epoch', NOT_KNOWN)}" for record in one.records.values()]
    told = f"Epochs done: {', '.join(done)}; the epoch that was kept: {', '.join(kept)}."
    table = markdown_rows(["Setting", "Value"], rows, ())
    return f"## Training\n\n{table}\n{told}\n\n{_below(markdown(machines(one.records.values())))}"


def _limits(one: Subject, results: Results) -> str:
    n = len(one.chosen.runs)
    points = [
        "It was tested on images of the same source as it learnt from. How it does at another hospital, on another"
        " device or on other patients is not known.",
        f"The setting was trained with {n} seed{'s' if n != 1 else ''}. Their spread is not that over patients.",
        "The setting won on validation, which flatters its validation figures. The threshold comes from the same"
        " images.",
        "It knows two labels. Whatever else an image shows is called one of them.",
        card_data.shortcut_sentence(results, one.chosen.setting, one.values.get("test", {}).get("auc")),
        card_data.lungs_sentence(results, one.chosen.setting),
        "How it does by sex, age, device or severity is not known: the tables do not hold them.",
    ]
    return "## Limits\n\n" + "\n".join(f"- {point}" for point in points) + "\n"


def _made(one: Subject, results: Results, context: Context) -> str:
    of_it = [dataclasses.replace(origin, runs=[run for run in origin.runs if run in one.records])
             for origin in results.origins]  # fmt: skip
    origins = [origin for origin in of_it if origin.runs]
    tables = [code(origins, one.records, context), commands(origins, context)]
    return "## How it was made\n\n" + "\n".join(_below(markdown(table)) for table in tables)


def _below(text: str) -> str:
    """A table whose title stands one level below a section's."""
    return text.replace("## ", "### ", 1)


def _number(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else NOT_KNOWN
