"""One study as a section of the page: its question, tables, winner, curves and the paper's gaps."""

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from cxrbench.base.language import _, retold
from cxrbench.config.studies import NOT_RUN
from cxrbench.evaluation.best_group import BestGroup, best_group
from cxrbench.evaluation.comparisons import Comparison, Contrast, Rules, StudyRuns, compare
from cxrbench.evaluation.study_settings import StudySetting, run_of, skipped_of
from cxrbench.evaluation.summaries import Stat, Summary, winner
from cxrbench.published.consistency import Impossible, sentence
from cxrbench.published.papers import Paper, cite
from cxrbench.reporting import best, charts, confusion, tables, words
from cxrbench.reporting.figures import colour_of, dash_of


@dataclasses.dataclass(frozen=True)
class Section:
    """What the template shows of one study."""

    name: str
    question: str
    source: str
    setup: str
    skipped: Mapping[str, str]  # setting -> why it was not run
    answer: str
    tables: Sequence[tables.Table]
    shortcut: str
    charts: Sequence[charts.Chart]
    legend: Sequence[tuple[str, int, str]]  # setting, colour, dashes
    paper: Paper | None
    impossible: Sequence[str] = ()  # what arithmetic rules out of the paper's tables, as sentences
    confusions: Sequence[confusion.Confusion] = ()
    confusion_title: str = ""
    confusion_note: str = ""
    best: BestGroup | None = None  # None: the study has no winner or no test images


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
    named = winner(summary) if "test" in summary else None
    found_best = best_group(runs, named, rules) if named else None
    used = {(setting["cohort"], setting["protocol"]) for setting in were_run.values()}
    return Section(
        name,
        _question(paper, settings),
        cite(paper.citation) if paper else _("No paper: a question of our own."),
        words.setup(list(were_run.values())),
        {label: retold(reason, [NOT_RUN]) for label, reason in skipped_of(settings).items()},
        _answer(summary, found_best),
        tables.build(summary, paper, _less_the_winner(summary, runs, rules), best.column(found_best)),
        words.shortcut_text(shortcuts, used),
        charts.study_charts(name, labels, runs, learning) if labels else [],
        [(label, colour_of(i), dash_of(i)) for i, label in enumerate(labels)],
        paper,
        [sentence(one) for one in found],
        confusion.matrices(part, runs, confusion.names_of(were_run, classes)),
        _("Confusion matrices on {part}").format(part=_(part)),
        confusion.note(runs),
        found_best,
    )


def _question(paper: Paper | None, settings: Iterable[str]) -> str:
    if paper:
        return _(paper.question)
    return _("How do these settings compare: {settings}?").format(settings=", ".join(settings))


def _answer(summary: Summary, found: BestGroup | None) -> str:
    if not summary:
        return _("No setting of this study was run.")
    return " ".join(filter(None, [winner_sentence(summary), best.sentence(found)]))


def _less_the_winner(summary: Summary, runs: StudyRuns, rules: Rules) -> list[Comparison]:
    """Each setting's test accuracy less that of the winner on validation; one family."""
    named = winner(summary) if "test" in summary else None
    if named is None:
        return []
    zone = (-rules.margin, rules.margin)
    contrasts = [Contrast("accuracy", "test", label, named, zone) for label in summary["test"] if label != named]
    return compare(runs, contrasts, rules)


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
