"""Two result sets side by side: what was asked differently, which setting does better in which, whose verdicts differ.

A setting is compared with itself, as the one set ran it and as the other did, and only where both judged the same
patients' images after training on the same split: the statistics resample the patients that both have.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from cxrbench.base.errors import CxrbenchError
from cxrbench.evaluation.comparisons import Comparison, Contrast, Rules, Run, compare
from cxrbench.published.papers import Paper
from cxrbench.reporting import tables
from cxrbench.reporting.report import verdicts_on
from cxrbench.reporting.result_sets import ResultSet
from cxrbench.reporting.text_tables import TextTable

METRICS = ("accuracy", "auc")
IMAGE = ["source", "image_id", "patient_id", "target"]
FINDINGS = {
    "above": "B is better",
    "below": "B is worse",
    "inside": "no difference of weight",
    "open": "undecided",
    "blocked": "no answer",
}

Shared = Mapping[str, Sequence[str]]  # study -> the settings of it that both sets ran


def compare_sets(a: ResultSet, b: ResultSet, papers: Mapping[str, Paper]) -> list[TextTable | str]:
    """Tables and paragraphs in the order in which they are read; raises CxrbenchError where nothing is in common."""
    shared = {
        study: both
        for study, settings in a.runs.items()
        if (both := [setting for setting in settings if setting in b.runs.get(study, {})])
    }
    if not shared:
        raise CxrbenchError(
            f"{a.name} and {b.name} have no setting in common, so nothing can be compared: the one ran the studies"
            f" {', '.join(a.runs)}, the other {', '.join(b.runs)}"
        )
    refused = _refused(a, b, shared)
    comparable = {
        study: left
        for study, settings in shared.items()
        if (left := [setting for setting in settings if (study, setting) not in refused])
    }
    return [
        f"A: {a.name}, {len(a.records):,} runs. B: {b.name}, {len(b.records):,} runs.",
        _parameters(a, b),
        _differences(a, b, comparable),
        *_sentences(shared, refused),
        _only_one(a, b),
        _verdicts(a, b, papers),
    ]


def _parameters(a: ResultSet, b: ResultSet) -> TextTable | str:
    flat_a, flat_b = _flat(a.params), _flat(b.params)
    rows = [
        [key, flat_a.get(key, "–"), flat_b.get(key, "–")]
        for key in {**flat_a, **flat_b}
        if flat_a.get(key) != flat_b.get(key)
    ]
    if not rows:
        return "params.yaml is the same in both."
    note = "The values of params.yaml that differ; a dash: the key is not there."
    return TextTable("Parameters", note, ("Key", "A", "B"), rows, 3)


def _flat(tree: Mapping, above: str = "") -> dict[str, str]:
    """Every value of a tree by its dotted key; a list is one value."""
    flat: dict[str, str] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            flat |= _flat(value, f"{above}{key}.")
        else:
            flat[f"{above}{key}"] = json.dumps(value, ensure_ascii=False, default=str)
    return flat


def _refused(a: ResultSet, b: ResultSet, shared: Shared) -> dict[tuple[str, str], str]:
    """Study and setting -> why the two sets' runs of it can't be compared, for those that can't."""
    reasons = {(study, setting): _reason(a, b, study, setting) for study in shared for setting in shared[study]}
    return {cell: reason for cell, reason in reasons.items() if reason}


def _reason(a: ResultSet, b: ResultSet, study: str, setting: str) -> str:
    """Why the runs of one setting can't be compared, as a clause, or an empty string."""
    of_a, of_b = a.records_of(study, setting), b.records_of(study, setting)
    images_a, images_b = ({row for _, table in runs for row in _test_images(table)} for runs in (of_a, of_b))
    if not images_a or not images_b:
        letters = [letter for letter, images in (("A", images_a), ("B", images_b)) if not images]
        return f"its runs in {' and '.join(letters)} have no test images"
    both, only_a, only_b = len(images_a & images_b), len(images_a - images_b), len(images_b - images_a)
    if only_a or only_b:
        return (
            f"the two score different test images: {both:,}, with their patient and class, are in both,"
            f" {only_a:,} in A only and {only_b:,} in B only"
        )
    data_a, data_b = ({record.get("data", {}).get("sha256") for record, _ in runs} for runs in (of_a, of_b))
    if data_a != data_b and None not in data_a | data_b:  # records of early versions name no data
        return (
            f"its {both:,} test images are the same in both, but the images of training and validation are not:"
            f" their checksums are {_start(data_a)} in A and {_start(data_b)} in B"
        )
    return ""


def _test_images(scores: pd.DataFrame) -> Iterator[tuple]:
    return scores.loc[scores["part"] == "test", IMAGE].itertuples(index=False, name=None)


def _start(checksums: set[str]) -> str:
    return ", ".join(sorted(one[:8] for one in checksums))


def _sentences(shared: Shared, refused: Mapping[tuple[str, str], str]) -> list[str]:
    """One sentence for each study and reason."""
    settings_of: dict[tuple[str, str], list[str]] = {}
    for (study, setting), reason in refused.items():
        settings_of.setdefault((study, reason), []).append(setting)
    sentences = []
    for (study, reason), settings in settings_of.items():
        which = "" if len(settings) == len(shared[study]) else f" ({', '.join(settings)})"
        sentences.append(f"{study}{which} is not compared: {reason}.")
    return sentences


def _differences(a: ResultSet, b: ResultSet, comparable: Shared) -> TextTable | str:
    if not comparable:
        return "No setting of both can be compared."
    rules = a.rules
    zone = tables.gap("accuracy", rules.margin).lstrip("+")
    note = (
        f"B less A on the test images, means over seeds. Better or worse: by more than {zone} (of AUC {rules.margin:g})"
        f" at the level beside the interval; patients are resampled {rules.resamples:,} times, seeds enter by Student's"
        " t, by the rules of A's params.yaml. The differences of one study are one family, in which the probability of"
        f" any false answer is at most {tables.level(1 - rules.confidence)}. Where both hold the same scores, nothing"
        " is tested; runs that both hold beside others count as independent, which widens the interval."
    )
    heads = ("Study", "Setting", "Runs in A, B", "Metric", "A", "B", "B less A", "Interval", "Result")
    rows = [row for study, settings in comparable.items() for row in _rows(a, b, study, settings)]
    return TextTable("Test scores", note, heads, rows, 4, text_after=7)


def _rows(a: ResultSet, b: ResultSet, study: str, settings: Sequence[str]) -> Iterator[list[str]]:
    """A row for each setting and metric of one study."""
    runs = {setting: (a.runs[study][setting], b.runs[study][setting]) for setting in settings}
    tested = {setting: both for setting, both in runs.items() if not _same(*both)}
    found = _compared(tested, a.rules)
    for setting, (of_a, of_b) in runs.items():
        for metric in METRICS:
            means = [one.mean(study, setting, metric) for one in (a, b)]
            if setting in tested:
                comparison = found[setting, metric]
                answer = [*tables.difference(comparison), FINDINGS[comparison.relation]]
            else:
                answer = ["–" if math.isnan(means[0]) else tables.gap(metric, 0.0), "", "the same scores"]
            shown = [tables.number(metric, mean) for mean in means]
            yield [study, setting, f"{len(of_a)}, {len(of_b)}", tables.TITLES[metric], *shown, *answer]


def _compared(
    tested: Mapping[str, tuple[Sequence[Run], Sequence[Run]]], rules: Rules
) -> dict[tuple[str, str], Comparison]:
    """Setting and metric -> B less A; all are one family. ``tested``: setting -> its runs in A and in B."""
    zone = (-rules.margin, rules.margin)
    study: dict[str, Sequence[Run]] = {}
    asked: dict[tuple[str, str], Contrast] = {}
    for setting, (of_a, of_b) in tested.items():
        in_a, in_b = f"{setting} in A", f"{setting} in B"
        study |= {in_a: of_a, in_b: of_b}
        asked |= {(setting, metric): Contrast(metric, "test", in_b, in_a, zone) for metric in METRICS}
    return dict(zip(asked, compare(study, list(asked.values()), rules)))


def _same(of_a: Sequence[Run], of_b: Sequence[Run]) -> bool:
    """Whether both sets hold the very same runs: seed by seed the same score of every test image."""
    scores = [[(run.seed, run.scores["test"].score) for run in runs] for runs in (of_a, of_b)]
    return len(of_a) == len(of_b) and all(
        seed_a == seed_b and np.array_equal(score_a, score_b, equal_nan=True)
        for (seed_a, score_a), (seed_b, score_b) in zip(*scores)
    )


def _only_one(a: ResultSet, b: ResultSet) -> TextTable | str:
    rows = []
    for letter, one, other in (("A", a, b), ("B", b, a)):
        for study, settings in one.runs.items():
            if alone := [setting for setting in settings if setting not in other.runs.get(study, {})]:
                rows.append([study, letter, ", ".join(alone)])
    if not rows:
        return "Both ran the same settings."
    return TextTable("Settings of one alone", "What the other did not run.", ("Study", "In", "Settings"), rows, 3)


def _verdicts(a: ResultSet, b: ResultSet, papers: Mapping[str, Paper]) -> TextTable | str:
    of_a, of_b = (verdicts_on(one.settings, papers, one.runs, one.rules) for one in (a, b))
    words = {(one.claim.study, one.claim.id): one.verdict for one in of_b}
    rows = [
        [one.claim.study, one.claim.statement, one.verdict, word]
        for one in of_a
        if (word := words[one.claim.study, one.claim.id]) != one.verdict
    ]
    if not rows:
        return f"The verdict on each of the {len(of_a)} claims is the same in both."
    note = f"{len(rows)} of {len(of_a)} claims have another verdict, each by the rules of its own params.yaml."
    return TextTable("Verdicts that differ", note, ("Study", "Claim", "A", "B"), rows, 4)
