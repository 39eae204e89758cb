"""The data behind the figures, as small tables of text: images, leaks, shortcuts, rejects, checks, the view filter."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from cxrbench.base.language import _, retold
from cxrbench.base.tables import PARTS, PROTOCOLS
from cxrbench.reporting.data_words import CHECKS
from cxrbench.reporting.text_tables import TextTable

STRONG = 0.75  # an AUC above this, or as far below a half, is marked
PART_PAIRS = ((PARTS[0], PARTS[1]), (PARTS[0], PARTS[2]), (PARTS[1], PARTS[2]))
EXAMPLES = 3  # pairs of duplicates shown a row


def image_counts(assignment: pd.DataFrame) -> TextTable:
    rows = []
    for cohort, images in assignment.groupby("cohort", sort=False):
        labels = images.sort_values("target")["label"].unique()
        for protocol in PROTOCOLS:
            counts = images.groupby([protocol, "label"]).size()
            cells = [" + ".join(f"{counts.get((part, label), 0):,}" for label in labels) for part in PARTS]
            rows.append([str(cohort), protocol, " + ".join(map(_, labels)), *cells])
    note = _("Images by class in each part, for each way of dividing them.")
    heads = (_("Cohort"), _("Protocol"), _("Classes"), _("Train"), _("Validation"), _("Test"))
    return TextTable(_("Images"), note, heads, rows, 3)


def leaks_between_parts(leaks: pd.DataFrame) -> TextTable:
    """Rows of 'leaks' across parts: a row a cohort, protocol and kind, a column a pair of parts."""
    across = leaks[leaks["across"] == "parts"]
    rows = []
    for (cohort, protocol, kind), group in across.groupby(["cohort", "protocol", "kind"], sort=False):
        shared = {frozenset((row.a, row.b)): (row.groups, row.images) for row in group.itertuples()}
        cells = [_counts(shared.get(frozenset(pair), (0, 0))) for pair in PART_PAIRS]
        if set(cells) != {"–"}:
            rows.append([str(cohort), str(protocol), _(str(kind)), *cells])
    heads = (_("Cohort"), _("Protocol"), _("What is shared"), *(f"{_(a)}–{_(b)}" for a, b in PART_PAIRS))
    note = _(
        "What two parts of one protocol share: groups / images of the second part that belong to them. A group is a"
        " patient, by the strict and by the loose reading of the source's keys, or images that are one picture:"
        " byte for byte, or as near-duplicates. A protocol and kind that is not listed shares nothing."
    )
    return TextTable(_("Leaks between parts"), note, heads, rows, 3)


def leaks_between_labels(leaks: pd.DataFrame) -> TextTable:
    """Rows of 'leaks' across labels, where something is shared."""
    across = leaks[(leaks["across"] == "labels") & (leaks["groups"] > 0)]
    rows = [
        [row.cohort, _both(row.a, row.b), _(row.kind), f"{row.groups:,}", f"{row.images:,}", _first(row.examples)]
        for row in across.itertuples()
    ]
    heads = (_("Cohort"), _("Labels"), _("What is shared"), _("Groups"), _("Images"), _("For example"))
    note = _("Patients and pictures that stand under both labels: a patient may have been both, one picture can't.")
    return TextTable(_("Leaks between labels"), note, heads, rows, 3, text_after=5)


def duplicates(pairs: pd.DataFrame) -> TextTable:
    """The table 'duplicates', a row a cohort and kind."""
    rows = []
    for (cohort, kind), group in pairs.groupby(["cohort", "kind"], sort=False):
        images = len(set(group["image_a"]) | set(group["image_b"]))
        examples = [f"{a} = {b}" for a, b in group[["image_a", "image_b"]].head(EXAMPLES).values.tolist()]
        counts = (len(group), images, int(group["mirrored"].sum()))
        rows.append([str(cohort), _(str(kind)), *(f"{n:,}" for n in counts), "; ".join(examples)])
    heads = (_("Cohort"), _("Kind"), _("Pairs"), _("Images in them"), _("Mirrored pairs"), _("For example"))
    note = _("Images of one cohort that are one picture; data/split/duplicates.csv lists every pair with its distance.")
    return TextTable(_("Duplicates"), note, heads, rows, 2, text_after=5)


def shortcuts(aucs: pd.DataFrame) -> TextTable:
    """The table 'shortcuts', a column a feature; a strong one is marked."""
    features = list(aucs["feature"].unique())
    rows: list[list[str]] = []
    marked: list[tuple[int, int]] = []
    for (cohort, protocol), group in aucs.groupby(["cohort", "protocol"], sort=False):
        of_features = group.set_index("feature")["auc"].reindex(features)
        marked += [(len(rows), 3 + i) for i, auc in enumerate(of_features) if auc > STRONG or auc < 1 - STRONG]
        cells = [f"{auc:.3f}" if auc == auc else "–" for auc in of_features]
        rows.append([str(cohort), str(protocol), f"{group['n'].max():,}", *cells])
    heads = (_("Cohort"), _("Protocol"), _("Test images"), *(_(name).capitalize() for name in features))
    note = _(
        "The AUC on test that each feature of a file reaches alone, no image looked at, its direction taken from the"
        " training images. Bold: above {strong} or below {weak}; below a half, the shortcut turns round on test."
    ).format(strong=STRONG, weak=1 - STRONG)
    return TextTable(_("Shortcuts"), note, heads, rows, 2, marked=marked)


def rejects(files: pd.DataFrame) -> TextTable:
    counts = files.groupby(["cohort", "reason"], sort=True).size()
    rows = [[str(cohort), _(str(reason)), f"{n:,}"] for (cohort, reason), n in counts.items()]
    heads = (_("Cohort"), _("Reason"), _("Files"))
    return TextTable(_("Rejected files"), _("Files that could not be used."), heads, rows, 2)


def checks(verdict: Mapping[str, Any]) -> TextTable:
    failed = [one for one in verdict.get("outcomes", []) if not one["passed"]]
    rows = [[_(one["severity"]), one["table"], retold(one["check"], CHECKS), f"{one['rows']:,}"] for one in failed]
    note = _("{checks} checks: {critical} critical failures, {warnings} warnings. Rows counts those that fail.").format(
        checks=verdict.get("checks", 0),
        critical=verdict.get("critical_failures", 0),
        warnings=verdict.get("warnings", 0),
    )
    return TextTable(_("Checks"), note, (_("Severity"), _("Table"), _("Check"), _("Rows")), rows, 3)


def view_filter(metrics: Mapping[str, Any]) -> list[TextTable]:
    """The view filter's metrics.json: its plain figures, then a table for each figure that is counted by seed."""
    rows, by_seed = [], []
    for name, value in metrics.items():
        title = _(_spaced(name))
        of_seed = value if isinstance(value, Mapping) else dict(enumerate(value)) if isinstance(value, list) else {}
        if of_seed and all(isinstance(counts, Mapping) for counts in of_seed.values()):
            heads = list(dict.fromkeys(key for counts in of_seed.values() for key in counts))
            lines = [
                [_(_spaced(seed).removeprefix("seed ")), *(_text(counts.get(key)) for key in heads)]
                for seed, counts in of_seed.items()
            ]
            shown = (_("Seed"), *(_(_spaced(key)).capitalize() for key in heads))
            of_figure = _("View filter: {figure}").format(figure=title)
            by_seed.append(TextTable(of_figure, _("A row a trained network."), shown, lines, 1))
        else:
            rows.append([title, _text(value)])
    note = _("How frontal images were told from lateral ones.")
    return [TextTable(_("View filter"), note, (_("Figure"), _("Value")), rows, 1), *by_seed]


def _both(one: str, other: str) -> str:
    return _("{one} and {other}").format(one=_(one), other=_(other))


def _spaced(name: object) -> str:
    return str(name).replace("_", " ")


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{_(_spaced(name))} {_text(one)}" for name, one in value.items())
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}" if math.isfinite(value) else "–"
    if isinstance(value, list):
        return ", ".join(_text(one) for one in value)
    return "–" if value is None else str(value)


def _counts(shared: tuple[int, int]) -> str:
    return f"{shared[0]:,} / {shared[1]:,}" if shared[0] else "–"


def _first(examples: str, most: int = EXAMPLES) -> str:
    return " ".join(examples.split()[:most])
