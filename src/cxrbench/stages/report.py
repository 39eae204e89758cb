"""report: metrics and published tables -> reports/: the page, Markdown tables, metrics.json, points to plot."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from cxrbench.base.entry import run
from cxrbench.base.files import write_text
from cxrbench.base.tables import read_table
from cxrbench.config.params import Params, load
from cxrbench.config.setting import Setting
from cxrbench.config.studies import PlannedRun, split_runnable, why_not_run
from cxrbench.evaluation.comparisons import Rules
from cxrbench.evaluation.runs import read_grid, studies
from cxrbench.evaluation.summaries import metrics_tree, summarise
from cxrbench.evaluation.verdicts import judge
from cxrbench.reporting import curves, data, leaks, page, protocols, published, words
from cxrbench.reporting.review import review
from cxrbench.reporting.study import section
from cxrbench.reporting.tables import markdown

OUT = Path("reports")
GRID = Path("data/train-grid")


def main() -> None:
    params = load()
    rules = Rules(**params.report.model_dump())
    metrics = read_table("data/evaluate/metrics.csv", "metrics")
    grid = read_table(GRID / "grid.csv", "grid")
    shortcuts = read_table("data/split/shortcuts.csv", "shortcuts")
    papers = published.load("data/published")
    runs = read_grid(grid, GRID)
    points = _points(grid, runs)
    by_study = studies(metrics, runs)
    assignment = read_table("data/split/assignment.csv", "assignment")
    sources, (settings_of, left_out) = (
        _sources(params),
        map(_settings, split_runnable(params.planned_runs(), assignment)),
    )
    ordered = [name for name in settings_of if name in papers] + [name for name in papers if name not in settings_of]
    verdicts = [one for name in ordered for one in judge(papers[name].claims, by_study.get(name, {}), rules)]
    summaries, sections, effects = {}, [], []
    for name, settings in settings_of.items():
        summary = summarise(metrics, name, list(settings), params.seeds)
        told = words.shortcut_text(shortcuts, {(one.cohort, one.protocol) for one in settings.values()})
        setup = words.setup(list(settings.values()))
        setup += "".join(f" Left out: {label}, {why_not_run(one)}." for label, one in left_out.get(name, {}).items())
        one = section(name, summary, by_study[name], papers.get(name), setup, told, points, rules)
        summaries[name] = summary
        sections.append(one)
        effects.append(protocols.effect_of(name, settings, by_study[name], summary, rules))
        write_text(OUT / "tables" / f"{name}.md", markdown(name, one.tables, one.winner, one.source))
    found = [effect for effect in effects if effect]
    changes = protocols.section(found)
    restricted = {name for name, cohort in params.cohorts.items() if cohort.pixels_stay_here}
    text = page.render(
        page.headline(verdicts),
        words.cautions(params.profile, [name for name, source in sources.items() if source == "phantom"]),
        words.facts(params.profile, sources, params.seeds, [record for record, _ in runs.values()]),
        words.rules_text(rules, params.workers),
        verdicts,
        sections,
        _data(assignment, shortcuts),
        changes,
        [review(read_table("data/view-filter/review.csv", "review"), restricted)],
    )
    write_text(OUT / "report.html", text)
    if changes:
        write_text(OUT / "tables" / "what-the-protocol-changes.md", protocols.markdown(changes))
    tree = {**metrics_tree(summaries, verdicts), "protocol_changes": protocols.metrics_tree(found)}
    write_text(OUT / "metrics.json", json.dumps(tree, indent=1) + "\n")
    for name, table in {**points, "accuracy": metrics[[*curves.CELL, "part", "accuracy"]]}.items():
        write_text(OUT / "plots" / f"{name}.csv", curves.csv(table))


def _points(grid: pd.DataFrame, runs: dict[str, tuple[dict[str, Any], pd.DataFrame]]) -> dict[str, pd.DataFrame]:
    histories = {name: read_table(GRID / name / "history.csv", "history") for name in runs}
    return {
        "learning-curves": curves.learning_curves(grid, histories),
        "roc": curves.roc_curves(grid, {name: scores for name, (_, scores) in runs.items()}),
    }


def _data(assignment: pd.DataFrame, shortcuts: pd.DataFrame) -> list[data.Plain]:
    """The tables of the page's last section."""
    shared = read_table("data/split/leaks.csv", "leaks")
    return [
        data.images(assignment),
        leaks.parts(shared),
        leaks.labels(shared),
        leaks.duplicates(read_table("data/split/duplicates.csv", "duplicates")),
        data.shortcuts(shortcuts),
        data.rejects(read_table("data/download/rejects.csv", "rejects")),
        data.checks(json.loads(Path("data/validate/verdict.json").read_text(encoding="utf-8"))),
        *data.view_filter(json.loads(Path("data/view-filter/metrics.json").read_text(encoding="utf-8"))),
    ]


def _settings(cells: Sequence[PlannedRun]) -> dict[str, dict[str, Setting]]:
    """Study -> label -> setting, in the order of params.yaml."""
    found: dict[str, dict[str, Setting]] = {}
    for cell in cells:
        found.setdefault(cell.study, {})[cell.label] = cell.setting
    return found


def _sources(params: Params) -> dict[str, str]:
    """Cohort -> source, of the cohorts that any study uses."""
    used = {cell.setting.cohort for cell in params.planned_runs()}
    names = {name for cohort in used for name in (params.views.quotas if cohort == "views" else [cohort])}
    return {name: params.cohorts[name].source for name in sorted(names)}


if __name__ == "__main__":
    run(main)
