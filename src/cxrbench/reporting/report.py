"""The whole report: from the tables of all stages to every file under reports/."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from cxrbench.base.files import write_text
from cxrbench.base.language import _, speaking
from cxrbench.evaluation.comparisons import Rules, StudyRuns
from cxrbench.evaluation.runs import studies
from cxrbench.evaluation.same import against_itself
from cxrbench.evaluation.spread import spreads
from cxrbench.evaluation.study_settings import StudySettings, run_of, skipped_of, splits_of
from cxrbench.evaluation.summaries import Summary, summarise
from cxrbench.evaluation.verdicts import Verdict, judge
from cxrbench.published import consistency
from cxrbench.published.papers import Paper, asked
from cxrbench.reporting import (
    best,
    confusion,
    curves,
    data,
    exports,
    page,
    protocols,
    splits,
    tables,
    text_tables,
    words,
)
from cxrbench.reporting.appendix import appendix
from cxrbench.reporting.attention import section as attention
from cxrbench.reporting.context import Context
from cxrbench.reporting.more_seeds import more_seeds
from cxrbench.reporting.own_figures import OwnFigures, own_figures
from cxrbench.reporting.provenance import provenance
from cxrbench.reporting.results import Results
from cxrbench.reporting.review import review
from cxrbench.reporting.study import Section, section
from cxrbench.reporting.text_tables import TextTable


def write_report(
    folder: Path,
    results: Results,
    papers: Mapping[str, Paper],
    context: Context,
    rules: Rules,
    plots: Path | None = None,
) -> None:
    """Writes the page, the tables and metrics.json into ``folder``, in the context's language, and the points that DVC
    plots into the folder ``plots``, if one is named."""
    with speaking(context.language):
        _write(folder, results, papers, context, rules, plots)


def _write(
    folder: Path, results: Results, papers: Mapping[str, Paper], context: Context, rules: Rules, plots: Path | None
) -> None:
    papers = asked(papers, results.settings)
    runs = studies(results.metrics, results.runs)
    verdicts = verdicts_on(results.settings, papers, runs, rules)
    found = {name: consistency.check(paper.tables).impossible for name, paper in papers.items()}
    own = {
        claim: figures
        for name, paper in papers.items()
        for claim, figures in own_figures(paper, found[name], runs.get(name, {})).items()
    }
    summaries = _summaries(results)
    learning = curves.learning_curves(results.grid, results.histories)
    classes = confusion.class_names(results.assignment)
    sections = [
        section(name, settings, summaries.get(name, {}), runs.get(name, {}), papers.get(name), found.get(name, ()),
                results.shortcuts, learning, classes, rules)
        for name, settings in results.settings.items()
    ]  # fmt: skip
    effects = [
        effect
        for name, summary in summaries.items()
        if (effect := protocols.effect_of(name, run_of(results.settings[name]), runs[name], summary, rules))
    ]
    changes = protocols.section(effects)
    were_run = {name: run_of(settings) for name, settings in results.settings.items()}
    same = against_itself(runs, rules)
    parted = splits.spread_table(spreads(were_run, summaries, rules.confidence), rules.confidence)
    write_text(
        folder / "report.html",
        _page(results, context, rules, verdicts, own, words.same_text(same), sections, changes,
              appendix(verdicts, summaries, runs), parted),
    )  # fmt: skip
    for one in sections:
        if one.tables:
            text = tables.markdown(one.name, one.tables, "\n\n".join(one.answers), one.source)
            below = f"\n{text_tables.markdown(one.own)}" if one.own else ""
            write_text(folder / "tables" / f"{one.name}.md", text + below)
    if changes:
        write_text(folder / "tables" / "what-the-protocol-changes.md", protocols.markdown(changes))
    if parted:
        write_text(folder / "tables" / "seeds-and-split.md", text_tables.markdown(parted))
    csv_files = {
        "claims": exports.claims(verdicts, own),
        "winners": exports.winners(summaries),
        "means": exports.means(summaries),
        "best-group": best.table({one.name: one.best for one in sections}),
        "against-itself": exports.against_itself(same),
        "protocol-changes": exports.protocol_changes(effects),
    }
    for name, table in csv_files.items():
        write_text(folder / "tables" / f"{name}.csv", curves.csv(table))
    if plots:
        for name, table in _points(results, runs, summaries, learning, classes).items():
            write_text(plots / f"{name}.csv", curves.csv(table))
    write_text(folder / "metrics.json", json.dumps(exports.key_figures(verdicts, summaries), indent=1) + "\n")


def _points(
    results: Results,
    runs: Mapping[str, StudyRuns],
    summaries: Mapping[str, Summary],
    learning: pd.DataFrame,
    classes: Mapping[str, confusion.Names],
) -> dict[str, pd.DataFrame]:
    """What `dvc plots` shows, by the name of its file."""
    names = {name: confusion.names_of(run_of(settings), classes) for name, settings in results.settings.items()}
    return {
        "accuracy": results.metrics[[*curves.CELL, "part", "accuracy"]],
        "learning-curves": learning,
        **curves.score_curves(results.grid, {run: scores for run, (_, scores) in results.runs.items()}),
        "confusion": confusion.winners_table(summaries, runs, names),
    }


def _page(
    results: Results,
    context: Context,
    rules: Rules,
    verdicts: Sequence[Verdict],
    own: Mapping[str, OwnFigures],
    same: str,
    sections: Sequence[Section],
    changes: protocols.Protocols | None,
    checked: Sequence[TextTable],
    parted: TextTable | None,
) -> str:
    records = [record for record, _ in results.runs.values()]
    return page.render(
        page.headline(verdicts, list(results.settings)),
        words.cautions(context.profile if verdicts else "", _phantoms(results, context)),
        words.facts(context.profile, context.sources, results.seeds, records),
        [*words.rules_text(rules), *([_(splits.RULE)] if parted else []), *filter(None, [same])],
        verdicts,
        sections,
        _data(results),
        changes,
        own,
        more_seeds(verdicts, results),
        [review(results.review, context.restricted)],
        checked,
        attention(results.attention, results.pictures, list(results.settings), context.restricted),
        provenance(results, context),
        parted,
    )


def _phantoms(results: Results, context: Context) -> dict[str, list[str]]:
    """Study -> the cohorts of computed images that its runs were judged on."""
    of_run = {run: set(scores["source"].unique()) for run, (_, scores) in results.runs.items()}
    computed = [name for name, source in context.sources.items() if source == "phantom"]
    found = {}
    for study, cells in results.grid.groupby("study", sort=False):
        used = set().union(*(of_run[run] for run in cells["run"] if run in of_run))
        found[str(study)] = [name for name in computed if name in used]
    return found


def verdicts_on(
    settings: StudySettings, papers: Mapping[str, Paper], runs: Mapping[str, StudyRuns], rules: Rules
) -> list[Verdict]:
    """The verdict on every claim of every paper: those first whose study was asked for, in the order of params.yaml."""
    ordered = [name for name in settings if name in papers] + [name for name in papers if name not in settings]
    return [
        verdict
        for name in ordered
        for verdict in judge(papers[name].claims, runs.get(name, {}), rules, skipped_of(settings.get(name, {})))
    ]


def _summaries(results: Results) -> dict[str, Summary]:
    """Study -> its means; a study of which every setting was skipped has none."""
    were_run = {name: run_of(settings) for name, settings in results.settings.items()}
    return {
        name: summarise(results.metrics, name, list(settings), results.seeds, splits_of(settings))
        for name, settings in were_run.items()
        if settings
    }


def _data(results: Results) -> list[TextTable]:
    """The tables of the page's last section."""
    return [
        data.image_counts(results.assignment),
        data.leaks_between_parts(results.leaks),
        *filter(None, [splits.leak_table(results.redrawn_leaks)]),
        data.leaks_between_labels(results.leaks),
        data.duplicates(results.duplicates),
        data.shortcuts(results.shortcuts),
        data.rejects(results.rejects),
        data.checks(results.checks),
        *data.view_filter(results.view_filter),
    ]
