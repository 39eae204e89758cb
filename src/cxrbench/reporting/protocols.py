"""What the way of dividing the images changes, as tables: the most changed study first, then each in full."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

from cxrbench.base.language import N_, _
from cxrbench.evaluation.comparisons import Comparison, Rules, StudyRuns
from cxrbench.evaluation.protocol_effect import REFERENCE, Change, Effect, effect, largest, most_changed
from cxrbench.evaluation.summaries import Summary, winner
from cxrbench.reporting import tables, text_tables
from cxrbench.reporting.text_tables import TextTable

TITLE = N_("What the protocol changes")
NOTE = N_(
    "Each setting under protocol patient or official, less the same setting under protocol paper, which divides by"
    " image and so may put one patient's images into training and test. Each protocol has its own test images: a"
    " change mixes what such a leak is worth with how hard another test set is, and these runs alone can't tell the"
    " two apart. Patients that both test sets hold are resampled together; the changes of one study are one family."
)
HEADS = (
    N_("Study"), N_("Protocol"), N_("Mean change\naccuracy on test"), N_("Largest change\naccuracy on test"),
    N_("Largest change\nAUC on test"), N_("Winner\non validation"), N_("Order\nKendall's tau"),
)  # fmt: skip
MEANS_NOTE = N_(
    "A change is that of the mean over seeds, every run counted; in brackets its interval at its level, over patients"
    " and seeds."
)
ORDER_NOTE = N_(
    "Ranked by the mean absolute change of test accuracy over settings and protocols. Tau: 1 where the settings come in"
    " the same order of test accuracy as under paper, −1 in the reverse."
)

Settings = Mapping[str, Mapping[str, Any]]  # label -> the setting's choices by name


@dataclasses.dataclass(frozen=True)
class Protocols:
    """What the template shows: a sentence, the table of studies, and one of settings for each study."""

    answer: str
    note: str
    studies: TextTable
    details: Sequence[TextTable]


def effect_of(name: str, settings: Settings, runs: StudyRuns, summary: Summary, rules: Rules) -> Effect | None:
    """The effect of the protocols on a study of ``settings`` by label; None where 'paper' has no other beside it."""
    labels = labels_of(settings)
    if not any(protocol != REFERENCE for _, protocol in labels) or "test" not in summary:
        return None
    winners = {}
    for protocol in dict.fromkeys(its for _setting, its in labels):
        names = {label: setting for (setting, its), label in labels.items() if its == protocol}
        best = winner({"validation": {label: summary["validation"][label] for label in names}})
        winners[protocol] = names[best] if best else None
    return effect(name, runs, labels, winners, rules)


def section(effects: Sequence[Effect]) -> Protocols | None:
    """The page's section on ``effects``, the most changed study first; None where no study varies the protocol."""
    if not effects:
        return None
    ordered = most_changed(effects)
    rows = [
        ["" if i else one.study, protocol, *_row(one, protocol)]
        for one in ordered
        for i, protocol in enumerate(one.protocols)
    ]
    title = _("Studies, the most changed first")
    studies = TextTable(title, " ".join([_(ORDER_NOTE), _(MEANS_NOTE)]), [_(head) for head in HEADS], rows, 99)
    return Protocols(_answer(ordered), _(NOTE), studies, [_details(one) for one in ordered])


def markdown(shown: Protocols) -> str:
    """The section as Markdown, closed by a newline."""
    tables = "\n".join(text_tables.markdown(table) for table in (shown.studies, *shown.details))
    return f"# {_(TITLE)}\n\n{shown.answer}\n\n{shown.note}\n\n{tables}"


def labels_of(settings: Settings) -> dict[tuple[str, str], str]:
    """(setting, protocol) -> label, of settings that are run under 'paper' and elsewhere."""
    names: dict[str, str] = {}  # the choices other than the protocol -> the setting's name
    for label, setting in settings.items():
        if setting["protocol"] == REFERENCE:
            kept = [part for part in label.split(", ") if part != f"protocol={REFERENCE}"]
            names[_but_for_protocol(setting)] = ", ".join(kept) or "base"
    labels = {
        (names[key], setting["protocol"]): label
        for label, setting in settings.items()
        if (key := _but_for_protocol(setting)) in names
    }
    several = {name for name, protocol in labels if protocol != REFERENCE}
    return {key: label for key, label in labels.items() if key[0] in several}


def _but_for_protocol(setting: Mapping[str, Any]) -> str:
    return repr({name: value for name, value in setting.items() if name != "protocol"})


def _answer(ordered: Sequence[Effect]) -> str:
    first = ordered[0]
    moved = _("Most changed: {study}, whose test accuracies move by {points} points on average.").format(
        study=first.study, points=f"{100 * first.size:.2f}"
    )
    choices = [one for one in ordered if len(one.settings) > 1]
    if not choices:
        return moved
    changed = sum(any(one.winners[p] != one.winners[REFERENCE] for p in one.protocols) for one in choices)
    winners = _("The winner changes with the protocol in {changed} of {studies} studies that compare settings.")
    return f"{moved} {winners.format(changed=changed, studies=len(choices))}"


def _row(one: Effect, protocol: str) -> list[str]:
    changes = one.of(protocol, "accuracy")
    sizes = [change.size for change in changes if math.isfinite(change.size)]
    mean = tables.gap("accuracy", sum(sizes) / len(sizes)) if sizes else "–"
    old, new = (one.winners[p] or _("none: all diverged") for p in (REFERENCE, protocol))
    beside = _("as under paper") if old == new else _("under paper {winner}").format(winner=old)
    winners = "–" if len(one.settings) == 1 else f"{new}\n{beside}"
    order = f"{one.order[protocol]:+.2f}".replace("-", "−") if math.isfinite(one.order[protocol]) else "–"
    largest_two = [_change(largest(one.of(protocol, metric)), len(one.settings) > 1) for metric in ("accuracy", "auc")]
    return [mean, *largest_two, winners, order]


def _change(change: Change | None, with_setting: bool) -> str:
    """A change, below it its interval and, ``with_setting``, whose change it is."""
    if change is None:
        return "–"
    if not math.isfinite(change.size):
        return f"–\n{change.comparison.reason}"
    lines = [tables.gap(change.metric, change.size), _interval(change.comparison)]
    return "\n".join([*lines, change.setting] if with_setting else lines)


def _interval(one: Comparison) -> str:
    return tables.interval(one) if math.isfinite(one.low) else f"({one.reason})"


def _details(one: Effect) -> TextTable:
    heads = [
        _("Setting"),
        _("Protocol"),
        _("Accuracy, %"),
        _("Change\nless that under paper"),
        _("AUC"),
        _("Change\nless that under paper"),
    ]
    rows = []
    for setting in one.settings:
        for i, protocol in enumerate((REFERENCE, *one.protocols)):
            row = ["" if i else setting, protocol]
            for metric in ("accuracy", "auc"):
                changes = one.of(one.protocols[0] if not i else protocol, metric)
                change = next((each for each in changes if each.setting == setting), None)
                value = math.nan if change is None else change.value if i else change.reference
                row += [tables.number(metric, value), _change(change, False) if change and i else ""]
            rows.append(row)
    return TextTable(_("Study {name}").format(name=one.study), _patients(one), heads, rows, 99)


def _patients(one: Effect) -> str:
    """On how many patients the means rest, as a sentence."""
    counted = [change.comparison.patients for change in one.changes if change.comparison.patients]
    if not counted:
        return _("Means over seeds on test, of no patients at least under each protocol.")
    return _("Means over seeds on test, of {patients} patients at least under each protocol.").format(
        patients=f"{min(counted):,}"
    )
