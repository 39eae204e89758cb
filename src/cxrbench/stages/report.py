"""report: metrics and published tables -> reports/: the page, Markdown tables, metrics.json, points to plot."""

import dataclasses
import json
from pathlib import Path

from cxrbench.evaluation.comparisons import Rules
from cxrbench.evaluation.runs import read_grid, studies
from cxrbench.evaluation.shortcuts import shortcut_table
from cxrbench.evaluation.verdicts import judge
from cxrbench.manifest import read_table, write_text
from cxrbench.params import Params, cells_of, load
from cxrbench.reporting import curves, data, page, published, words
from cxrbench.reporting.study import section
from cxrbench.reporting.summary import metrics_tree, summarise
from cxrbench.reporting.tables import markdown
from cxrbench.settings import Setting
from cxrbench.stages.entry import run

OUT = Path("reports")
GRID = Path("data/train-grid")


def main() -> None:
    params = load()
    rules = Rules(**dataclasses.asdict(params.report))
    metrics = read_table("data/evaluate/metrics.csv", "metrics")
    grid = read_table(GRID / "grid.csv", "grid")
    assignment = read_table("data/split/assignment.csv", "assignment")
    shortcuts = shortcut_table(assignment, read_table("data/view-filter/manifest.csv", "frontal"))
    papers = published.load("data/published")
    runs = read_grid(grid, GRID)
    points = {
        "learning": curves.learning_curves(
            grid, {name: read_table(GRID / name / "history.csv", "history") for name in runs}
        ),
        "roc": curves.roc_curves(grid, {name: scores for name, (_, scores) in runs.items()}),
    }
    by_study = studies(metrics, runs)
    sources, settings_of = _sources(params), _settings(params)
    ordered = [name for name in settings_of if name in papers] + [name for name in papers if name not in settings_of]
    verdicts = [one for name in ordered for one in judge(papers[name].claims, by_study.get(name, {}), rules)]
    summaries, sections = {}, []
    for name, settings in settings_of.items():
        summary = summarise(metrics, name, list(settings), params.seeds)
        told = words.shortcut_text(shortcuts, {(one.cohort, one.protocol) for one in settings.values()})
        setup = words.setup(list(settings.values()))
        one = section(name, summary, by_study[name], papers.get(name), setup, told, points, rules)
        summaries[name] = summary
        sections.append(one)
        write_text(OUT / "tables" / f"{name}.md", markdown(name, one.tables, one.winner, one.source))
    text = page.render(
        page.headline(verdicts),
        words.cautions(params.profile, [name for name, source in sources.items() if source == "phantom"]),
        words.facts(params.profile, sources, params.seeds, [record for record, _ in runs.values()]),
        words.rules_text(rules, params.workers),
        verdicts,
        sections,
        [
            data.images(assignment),
            data.leaks(read_table("data/split/leaks.csv", "leaks")),
            data.shortcuts(shortcuts),
            data.rejects(read_table("data/download/rejects.csv", "rejects")),
            data.checks(json.loads(Path("data/validate/verdict.json").read_text(encoding="utf-8"))),
            data.view_filter(json.loads(Path("data/view-filter/metrics.json").read_text(encoding="utf-8"))),
        ],
    )
    write_text(OUT / "report.html", text)
    write_text(OUT / "metrics.json", json.dumps(metrics_tree(summaries, verdicts), indent=1) + "\n")
    write_text(OUT / "plots" / "learning-curves.csv", curves.csv(points["learning"]))
    write_text(OUT / "plots" / "roc.csv", curves.csv(points["roc"]))
    write_text(OUT / "plots" / "accuracy.csv", curves.csv(metrics[[*curves.CELL, "part", "accuracy"]]))


def _settings(params: Params) -> dict[str, dict[str, Setting]]:
    """Study -> label -> setting, in the order of params.yaml."""
    found: dict[str, dict[str, Setting]] = {}
    for cell in cells_of(params):
        found.setdefault(cell.study, {})[cell.label] = cell.setting
    return found


def _sources(params: Params) -> dict[str, str]:
    """Cohort -> source, of the cohorts that any study uses."""
    used = {cell.setting.cohort for cell in cells_of(params)}
    names = {params.views.cohort if cohort == "views" else cohort for cohort in used}
    return {name: params.cohorts[name].source for name in sorted(names)}


if __name__ == "__main__":
    run(main)
