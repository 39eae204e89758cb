"""Where the results come from: code, data, machines, and the commands that make them again.

All of it was written beside the runs; nothing here depends on when or where the page is made.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from cxrbench.base.language import _
from cxrbench.base.origins import Origin
from cxrbench.base.tables import PARTS
from cxrbench.reporting.context import Context
from cxrbench.reporting.results import Results
from cxrbench.reporting.text_tables import TextTable


def provenance(results: Results, context: Context) -> list[TextTable]:
    """The tables of the section: code, data, machines, commands."""
    records = {run: record for run, (record, _scores) in results.runs.items()}
    return [
        code(results.origins, records, context),
        images(records.values()),
        *stage_outputs(results.origins),
        machines(records.values()),
        commands(results.origins, context),
    ]


def code(origins: Iterable[Origin], runs: Iterable[str], context: Context) -> TextTable:
    """A row for each commit that trained ``runs``, and one for that which packed the results."""
    known = {run: (one.commit, one.changed) for one in origins for run in one.runs}
    counted = Counter(known.get(run, ("", False)) for run in runs)
    rows = [[*_commit(*one), _("{n} runs").format(n=f"{n:,}")] for one, n in counted.items()]
    if context.commit:
        rows.append([*_commit(context.commit, context.changed), _("packing of the results")])
    note = _(
        "The commit of cxrbench that trained the runs, and whether code or parameters differed from it at that time."
        " Each run is kept under a hash of everything that decides its result, so runs of several commits may stand in"
        " one report: the code that computes them is the same."
    )
    return TextTable(_("Code"), note, (_("Commit"), _("Uncommitted changes"), _("For")), rows, 99)


def images(records: Iterable[Mapping[str, Any]]) -> TextTable:
    """A row for each set of images that runs saw, by its hash."""
    seen: Counter[tuple[str, ...]] = Counter()
    for record in records:
        data, setting = record.get("data", {}), record["setting"]
        counts = (f"{data[part]:,}" if part in data else "–" for part in PARTS)
        protocol = (str(setting.get("cohort", "–")), str(setting.get("protocol", "–")))
        seen[(*protocol, *counts, str(data.get("sha256", "–")))] += 1
    rows = [[*of_set[:-1], f"{n:,}", of_set[-1]] for of_set, n in seen.items()]
    note = _(
        "The sets of images that the runs saw. SHA-256 is of a table with a row an image: its source and name, the hash"
        " of its file, its patient, its part and its label. Another image, label or division gives another hash."
    )
    heads = (_("Cohort"), _("Protocol"), _("Train"), _("Validation"), _("Test"), _("Runs"), "SHA-256")
    return TextTable(_("Images by hash"), note, heads, rows, 2, text_after=6)


def stage_outputs(origins: Iterable[Origin]) -> list[TextTable]:
    """A row for each output of the stages on data that the runs were trained on; no table where none is known."""
    found = Counter(
        {
            (path, md5): sum(len(other.runs) for other in origins if other.data.get(path) == md5)
            for one in origins
            for path, md5 in one.data.items()
        }
    )
    if not found:
        return []
    rows = [[path, md5, f"{n:,}"] for (path, md5), n in sorted(found.items())]
    note = _("What DVC noted of the stages on data, as dvc.lock has it, when the runs were trained.")
    return [TextTable(_("Outputs of the stages"), note, (_("Output"), "MD5", _("Runs")), rows, 2)]


def machines(records: Iterable[Mapping[str, Any]]) -> TextTable:
    """A row for each machine with the versions that trained there."""
    runs: Counter[tuple[str, ...]] = Counter()
    seconds: Counter[tuple[str, ...]] = Counter()
    for record in records:
        on = _machine(record)
        runs[on] += 1
        seconds[on] += record["train_seconds"]
    rows = [[*on, f"{n:,}", f"{seconds[on] / 3600:,.1f}"] for on, n in runs.items()]
    note = _(
        "What trained the runs. Processes are runs that trained side by side, each with as many threads; hours are the"
        " sum over runs of the time to train and to score, as if one had followed the other."
    )
    heads = (
        _("Machine"),
        _("Device"),
        _("System"),
        _("Processes × threads"),
        _("Versions"),
        _("Runs"),
        _("Hours of training"),
    )
    return TextTable(_("Machines and versions"), note, heads, rows, 5)


def commands(origins: Iterable[Origin], context: Context) -> TextTable:
    """The commands that make runs and report again."""
    commits = {one.commit for one in origins if one.commit}
    rows = [
        *[[_("The code that trained runs"), f"git checkout {one}"] for one in sorted(commits)],
        [_("The environment, with every package pinned"), "make repro"],
        [_("The runs and their report"), context.command],
        [_("A folder of small files of them"), "cxrbench pack results/NAME"],
        [_("This report from that folder, without an image"), "cxrbench report --from results/NAME"],
    ]
    note = _(
        "In the folder of the code. 'make repro' makes the environment and then runs the default comparison; the other"
        " commands need the environment alone."
    )
    return TextTable(_("Commands"), note, (_("What it makes"), _("Command")), rows, 99)


def _commit(commit: str, changed: bool) -> tuple[str, str]:
    if not commit:
        return _("not known"), "–"
    return commit, _("yes") if changed else _("none")


def _machine(record: Mapping[str, Any]) -> tuple[str, ...]:
    environment, timing = record["environment"], record["timing"]
    backend = environment.get("backend", "")
    names = {"Python": "python", "Keras": "keras", str(backend): backend, "NumPy": "numpy"}
    versions = [f"{name} {environment[key]}" for name, key in names.items() if key in environment]
    return (
        str(timing.get("machine") or environment.get("processor") or "–"),
        str(environment.get("device", "–")),
        str(environment.get("platform", "–")),
        f"{timing['workers']} × {timing['threads']}" if {"workers", "threads"} <= set(timing) else "–",
        ", ".join(versions) or "–",
    )
