"""What a model card says of the images: counts, leaks, shortcuts, and what a network reaches without lungs.

The tables are the report's, cut to the card's cohort and protocol and without the columns of examples, which name
images and patients.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

from cxrbench.evaluation.study_settings import run_of
from cxrbench.evaluation.summaries import summarise
from cxrbench.reporting import data, tables
from cxrbench.reporting.context import Context
from cxrbench.reporting.results import Results
from cxrbench.reporting.text_tables import TextTable, markdown

NOT_KNOWN = "not known"
EXAMPLES = "For example"  # the head of a column that names images or patients


def section(
    results: Results, context: Context, setting: Mapping[str, Any], sources: Sequence[str], restricted: bool
) -> str:
    """The section on data of a network with this ``setting``, whose images come from ``sources``."""
    cohort, protocol = str(setting["cohort"]), str(setting["protocol"])
    told = ", ".join(f"{name} ({context.sources.get(name, NOT_KNOWN)})" for name in sources) or NOT_KNOWN
    own = "; each seed has a split of its own, drawn anew with these counts" if setting.get("redraw") else ""
    lines = [
        "## Data\n",
        f"Cohort {cohort}, from {told}. Protocol {protocol}{own}. "
        f"{'Restricted: it may not be handed on.' if restricted else 'Not marked as restricted.'}\n",
        _table(data.image_counts(_of(results.assignment, cohort)), protocol),
        _leaks(results, cohort, protocol),
        _shortcuts(results, cohort, protocol),
        f"### Without lungs\n\n{lungs_sentence(results, setting)}\n",
        _table(data.rejects(results.rejects[results.rejects["cohort"].isin(sources)])),
        f"### Checks\n\n{data.checks(results.checks).note if results.checks else NOT_KNOWN.capitalize() + '.'}\n",
    ]
    return "\n".join(lines)


def shortcut_sentence(results: Results, setting: Mapping[str, Any], auc: float | None) -> str:
    """The strongest feature of the files beside the network's own AUC on test."""
    found = _of(results.shortcuts, str(setting["cohort"]), str(setting["protocol"])).dropna(subset="auc")
    own = f"{auc:.3f}" if auc is not None and math.isfinite(auc) else NOT_KNOWN
    if found.empty:
        return f"What the file alone would score: {NOT_KNOWN}; the network's AUC on test: {own}."
    strongest = found.loc[(found["auc"] - 0.5).abs().idxmax()]
    size = found.loc[found["feature"] == "file size", "auc"]
    alone = f"The size of the file alone reaches an AUC of {f'{size.iloc[0]:.3f}' if len(size) else NOT_KNOWN} on test"
    more = "" if strongest["feature"] == "file size" else f"; {strongest['feature']} alone {strongest['auc']:.3f}"
    return f"{alone}{more}, no image looked at. The network reaches {own}; it may use the same."


def lungs_sentence(results: Results, setting: Mapping[str, Any]) -> str:
    """What networks reach on the same images with the lungs blacked out."""
    told = []
    for study, settings in results.settings.items():
        were_run = run_of(settings)
        same = [
            label
            for label, one in were_run.items()
            if one.get("hide") == "lungs" and all(one.get(key) == setting.get(key) for key in ("cohort", "protocol"))
        ]
        if not same:
            continue
        seeds = sorted(int(seed) for seed in results.grid.loc[results.grid["study"] == study, "seed"].unique())
        rows = summarise(results.metrics, study, same, seeds).get("test", {})
        told += [f"{_spread(rows[label].stats['accuracy'])} ({study}, {label})" for label in same if label in rows]
    if not told:
        return f"What a network reaches on these images without the lungs: {NOT_KNOWN}; no such run was asked for."
    return (
        "Networks that saw these images with the lungs blacked out reach a test accuracy of "
        f"{'; '.join(dict.fromkeys(told))}: what they reach, they read from outside of the lungs."
    )


def _spread(stat: Any) -> str:
    if not math.isfinite(stat.mean):
        return NOT_KNOWN
    spread = f" ± {tables.number('accuracy', stat.sd)}" if math.isfinite(stat.sd) else ""
    return f"{tables.number('accuracy', stat.mean)}{spread} %, n = {len(stat.values)}"


def _leaks(results: Results, cohort: str, protocol: str) -> str:
    leaks = _of(results.leaks, cohort)
    if leaks.empty:
        return f"### Leaks\n\nLeaks between parts or labels of this cohort: {NOT_KNOWN}.\n"
    parts = data.leaks_between_parts(leaks[leaks["protocol"] == protocol])
    labels = data.leaks_between_labels(leaks)
    none = "None were found under this protocol.\n"
    texts = [_table(one) if one.rows else f"### {one.title}\n\n{none}" for one in (parts, labels)]
    pairs = _of(results.duplicates, cohort)
    return "\n".join([*texts, *([_table(data.duplicates(pairs))] if len(pairs) else [])])


def _shortcuts(results: Results, cohort: str, protocol: str) -> str:
    found = _of(results.shortcuts, cohort, protocol)
    if found.empty:
        return f"### Shortcuts\n\nWhat a file's size, area or brightness alone would score: {NOT_KNOWN}.\n"
    return _table(data.shortcuts(found))


def _of(table: Any, cohort: str, protocol: str = "") -> Any:
    rows = table[table["cohort"] == cohort]
    return rows[rows["protocol"] == protocol] if protocol else rows


def _table(table: TextTable, protocol: str = "") -> str:
    """A table of the report, one level lower and without its column of examples; rows of one ``protocol`` alone."""
    rows = [row for row in table.rows if not protocol or row[1] == protocol]
    kept = [place for place, head in enumerate(table.heads) if head != EXAMPLES]
    cut = dataclasses.replace(
        table,
        heads=[table.heads[place] for place in kept],
        rows=[[row[place] for place in kept] for row in rows],
        note=table.note.replace("; data/split/duplicates.csv lists every pair with its distance", ""),
    )
    if not cut.rows:
        return f"### {table.title}\n\nNone.\n"
    return markdown(cut).replace("## ", "### ", 1)
