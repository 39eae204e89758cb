"""One study as a section of the page: its question, tables, winner, curves and the paper's gaps."""

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from cxrbench.base.language import _, retold
from cxrbench.config.studies import NOT_RUN
from cxrbench.evaluation.best_group import BestGroup, best_group
from cxrbench.evaluation.comparisons import Comparison, Contrast, Rules, StudyRuns, compare
from cxrbench.evaluation.study_settings import SPLIT, Split, StudySetting, run_of, skipped_of
from cxrbench.evaluation.summaries import Stat, Summary, by_split, winner
from cxrbench.published.consistency import Impossible, sentence
from cxrbench.published.papers import Paper, cite
from cxrbench.reporting import best, charts, confusion, own_metrics, tables, words
from cxrbench.reporting.figures import colour_of, dash_of
from cxrbench.reporting.text_tables import TextTable

FEW = 5  # settings that a heading names one by one


@dataclasses.dataclass(frozen=True)
class Section:
    """What the template shows of one study."""

    name: str
    question: str
    source: str
    setup: str
    skipped: Mapping[str, str]  # setting -> why it was not run
    answers: Sequence[str]  # one for each split of the data
    tables: Sequence[tables.Table]
    shortcut: str
    charts: Sequence[charts.Chart]
    legend: Sequence[tuple[str, int, str]]  # setting, colour, dashes
    paper: Paper | None
    impossible: Sequence[str] = ()  # what arithmetic rules out of the paper's tables, as sentences
    confusions: Sequence[confusion.Confusion] = ()
    confusion_title: str = ""
    confusion_note: str = ""
    own: TextTable | None = None  # metrics of one's own, if any are asked for
    best: Sequence[BestGroup] = ()  # one for each split that has a winner and test images


def section(
    name: str,
    settings: Mapping[str, StudySetting],
    summary: Summary,
    runs: StudyRuns,
    paper: Paper | None,
    found: Sequence[Impossible],
    shortcuts: pd.DataFrame,
    learning: pd.DataFrame,
    classes: Mapping[str, confusion.Names],
    rules: Rules,
) -> Section:
    """The section of one study; ``summary`` and ``runs`` are empty where every setting was skipped.

    ``found`` is what the paper's tables can't be, ``shortcuts`` is the table of that name, ``learning`` is the
    tidy table 'learning-curves', ``classes`` are the names of each cohort's two classes.
    """
    were_run = run_of(settings)
    labels = list(were_run)
    part = charts.part_of(runs)
    groups = by_split(summary) if summary else {}
    best_of = {split: _best(group, runs, rules) for split, group in groups.items()}
    found_best = [one for one in best_of.values() if one]
    used = {(setting["cohort"], setting["protocol"]) for setting in were_run.values()}
    return Section(
        name,
        _question(paper, were_run or {label: one.setting for label, one in settings.items()}),
        cite(paper.citation) if paper else _("No paper: a question of our own."),
        words.setup(list(were_run.values())),
        {label: retold(reason, [NOT_RUN]) for label, reason in skipped_of(settings).items()},
        _answers(groups, best_of),
        tables.build(summary, paper, _less_the_winner(groups.values(), runs, rules), best.column(found_best)),
        words.shortcut_text(shortcuts, used),
        charts.study_charts(name, labels, runs, learning) if labels else [],
        [(label, colour_of(i), dash_of(i)) for i, label in enumerate(labels)],
        paper,
        [sentence(one) for one in found],
        confusion.matrices(part, runs, confusion.names_of(were_run, classes)),
        _("Confusion matrices on {part}").format(part=_(part)),
        confusion.note(runs),
        own_metrics.table(groups.values(), runs, rules),
        found_best,
    )


def _question(paper: Paper | None, settings: Mapping[str, Mapping[str, Any]]) -> str:
    if paper:
        return _(paper.question)
    if len(settings) <= FEW:
        return _("How do these settings compare: {settings}?").format(settings=", ".join(settings))
    varied = [name for name in next(iter(settings.values())) if len({repr(one[name]) for one in settings.values()}) > 1]
    names = _(" and ").join(name.replace("_", " ") for name in varied)
    return _("How do {count} settings compare that differ in {choices}?").format(count=len(settings), choices=names)


def _best(group: Summary, runs: StudyRuns, rules: Rules) -> BestGroup | None:
    named = winner(group) if "test" in group else None
    return best_group({label: runs[label] for label in group["test"]}, named, rules) if named else None


def _answers(groups: Mapping[Split, Summary], best_of: Mapping[Split, BestGroup | None]) -> list[str]:
    """The winner and the best, of the settings of each split."""
    if not groups:
        return [_("No setting of this study was run.")]
    answers = []
    for split, group in groups.items():
        answer = " ".join(filter(None, [winner_sentence(group), best.sentence(best_of[split])]))
        told = [f"{name}={value}" for name, value, all_of in zip(SPLIT, split, zip(*groups)) if len(set(all_of)) > 1]
        answers.append(f"{', '.join(told)}: {answer}" if told else answer)
    return answers


def _less_the_winner(groups: Iterable[Summary], runs: StudyRuns, rules: Rules) -> list[Comparison]:
    """Each setting's test accuracy less that of the winner on validation of its split; one family."""
    zone = (-rules.margin, rules.margin)
    contrasts = [
        Contrast("accuracy", "test", label, named, zone)
        for group in groups
        if "test" in group and (named := winner(group)) is not None
        for label in group["test"]
        if label != named
    ]
    return compare(runs, contrasts, rules) if contrasts else []


def winner_sentence(summary: Summary) -> str:
    """Which setting is the winner on validation, by what, and what that setting reaches on test."""
    best = winner(summary)
    if best is None:
        return _("There is no winner: at least one run of every setting diverged.")
    told = {"best": best, "validation": _stat(summary["validation"][best].stats["accuracy"])}
    alone = len(summary["validation"]) == 1
    if "test" not in summary:
        sentence = (
            _("The one setting reaches a validation accuracy of {validation}; its images have no test part.")
            if alone
            else _(
                "Winner on validation: {best}, with the highest mean accuracy there, {validation}; its images have no"
                " test part."
            )
        )
        return sentence.format(**told)
    sentence = (
        _("The one setting reaches a validation accuracy of {validation}; its test accuracy is {test}.")
        if alone
        else _(
            "Winner on validation: {best}, with the highest mean accuracy there, {validation}; its test accuracy is"
            " {test}."
        )
    )
    return sentence.format(test=_stat(summary["test"][best].stats["accuracy"]), **told)


def _stat(stat: Stat) -> str:
    spread = f" ± {tables.number('accuracy', stat.sd)}" if math.isfinite(stat.sd) else ""
    return f"{tables.number('accuracy', stat.mean)}{spread} %"
