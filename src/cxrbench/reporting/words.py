"""The page's sentences about how it came to be: what was run, on which data, and by which rules."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from cxrbench.base.language import N_, _
from cxrbench.evaluation.comparisons import Rules
from cxrbench.evaluation.same import AgainstItself

NO_VALUE = {"weights": N_("random")}  # what a setting without a value means, where that is a choice
# How a verdict is reached, in paragraphs.
RULES = (
    N_(
        "Printed figures: accuracy, recall, specificity, precision and F1 follow from counts of images, so an exact"
        " search tells which of them, rounded as printed, no runs can have, alone or beside others of their row."
    ),
    N_(
        "Paper’s n: two settings judge the same images, and the paper does not print on how many of them both are"
        " right. Over every share that its figures allow, and at the share of our own runs, stands the probability that"
        " the claim is false against its strongest rival, by the printed figures and the number of images alone (after"
        " Christodoulou et al. 2025, arXiv 2505.04720; a mean over runs is taken as one run)."
    ),
    N_(
        "Margin: ±{points} points of a share, ±{margin} of AUC, MSE and loss (nats), ±{points} % of a time."
        " A claim that one setting is better is supported where the whole interval lies beyond the margin on its side,"
        " contradicted where it lies beyond the margin on the other side, else undecided. A claim that settings are"
        " equal, or reach a value, is supported where the interval lies inside the margin and contradicted where it"
        " lies outside. Where a claim needs several comparisons, the one it depends on is shown."
    ),
    N_(
        "Intervals: patients, shared by all settings, are resampled {resamples} times; seeds enter by Student's t, for"
        " they are too few to resample."
    ),
    N_(
        "Error rate: each study has up to three families of questions: its claims, the column 'Accuracy less the"
        " winner’s', and what the protocol changes. Within one family the probability of any false answer is at most"
        " {error}; it is not limited over all families and studies together. To this end each question has a level of"
        " its own (Holm: {error} divided by the number of questions, then by one fewer after each that is decided, the"
        " clearest first). A claim that needs several comparisons is supported only where each of them holds at that"
        " level. One is enough to contradict it, so a comparison that lies on another side is tested at that level"
        " divided by their number. The interval printed is the one at its level, which stands beside it, and the"
        " verdict follows from it."
    ),
    N_(
        "Seeds needed: the number of seeds a setting with which four of five repeats on the same images would decide,"
        " if the means, their spread over seeds and the level stayed as they are. The variance over seeds is divided by"
        " that number, the variance over patients is not; where the latter alone covers the margin, only more images"
        " help."
    ),
    N_(
        "Best on test: beside the results stands the probability that one new run of the winner on validation beats one"
        " new run of the setting on as many new patients, a tie counted half (Bouthillier et al. 2021), with a {level}"
        " interval of its own, which is wide because few seeds tell little of how runs differ. Not distinguishable from"
        " the best are the settings that no other one beats in mean accuracy by a one-sided test at {error} divided by"
        " the number of the others; the truly best setting is one of them with a probability of at least {level} (Gupta"
        " 1965, Hsu 1984)."
    ),
    N_(
        "Times are compared only between runs of one machine with the same number of threads that did not share its"
        " cores with other runs, or that were timed alone."
    ),
)


def cautions(profile: str, phantoms: Mapping[str, Sequence[str]]) -> list[str]:
    """What a reader must know before the first figure; empty for real images under the profile 'paper'.

    ``profile`` is '' where no paper is spoken of. ``phantoms``: each study's cohorts of computed images.
    """
    sentences = []
    if computed := [study for study, cohorts in phantoms.items() if cohorts]:
        cohorts = _(" and ").join(dict.fromkeys(name for study in computed for name in phantoms[study]))
        if len(computed) == len(phantoms):
            text = _(
                "These verdicts speak of the phantom, not of patients: the images of {cohorts} are computed, no person"
                " was radiographed."
            )
        else:
            text = _(
                "What stands under {studies} speaks of the phantom, not of patients: the images of {cohorts} are"
                " computed, no person was radiographed. All other images are radiographs."
            )
        sentences.append(text.format(studies=_(" and ").join(computed), cohorts=cohorts))
    if profile not in ("paper", ""):
        sentences.append(
            _(
                "The profile '{profile}' trains smaller models on smaller images for fewer epochs than the papers did;"
                " what holds here need not hold there. The profile 'paper' comes closest."
            ).format(profile=profile)
        )
    return sentences


def same_text(studies: Mapping[str, AgainstItself]) -> str:
    """The A/A test in one paragraph; empty where no setting has seeds enough."""
    found = sum(studies.values(), AgainstItself())
    if not found.ways:
        return ""
    rate = 100 * found.different / found.ways
    return _(
        "A/A test on these runs: {settings} settings were compared with themselves, half of the seeds against the other"
        " half, in {ways} ways; {different} ({rate} %) were called different, where no difference can be. Ways that"
        " share seeds are not independent."
    ).format(settings=found.settings, ways=f"{found.ways:,}", different=f"{found.different:,}", rate=f"{rate:.1f}")


def rules_text(rules: Rules) -> list[str]:
    """How a verdict is reached, in paragraphs."""
    points = f"{100 * rules.margin:g}"
    error = f"{100 * (1 - rules.confidence):.3g} %"
    figures = {"points": points, "margin": f"{rules.margin:g}", "resamples": f"{rules.resamples:,}", "error": error}
    figures["level"] = f"{100 * rules.confidence:.3g} %"
    return [_(paragraph).format(**figures) for paragraph in RULES]


def setup(settings: Sequence[Mapping[str, Any]]) -> str:
    """The choices that all settings of a study share, in one line; empty without settings."""
    shared = []
    for name in settings[0] if settings else ():
        values = {repr(setting.get(name)): setting.get(name) for setting in settings}
        if len(values) > 1:
            continue
        (value,) = values.values()
        text = _choice(name, value)
        if text is not None and value is not False:
            shared.append(f"{name.replace('_', ' ')} {text}")
    return _("Held fixed: {choices}.").format(choices=", ".join(shared)) if shared else ""


def _choice(name: str, value: Any) -> str | None:
    if value is None:
        return _(NO_VALUE[name]) if name in NO_VALUE else None
    return _("yes") if value is True else str(value)


def facts(
    profile: str, sources: Mapping[str, str], seeds: Sequence[int], records: Sequence[Mapping[str, Any]]
) -> list[tuple[str, str]]:
    """Name and value of what was run; ``records`` are the runs' run.json."""
    diverged = sum(record["status"] == "diverged" for record in records)
    versions = {f"{name} {record['environment'].get(name, '?')}" for record in records for name in ("keras", "backend")}
    machines = {str(record["environment"].get("processor") or _("not named")) for record in records}
    loose = [record for record in records if record["environment"].get("deterministic") is False]
    devices = ", ".join(sorted({str(record["environment"]["device"]) for record in loose}))
    told = _("{loose} of {runs} runs on {devices}, whose kernels may give other last bits when repeated").format(
        loose=len(loose), runs=len(records), devices=devices
    )
    runs = _("{runs} distinct, seeds {seeds}; {diverged} diverged").format(
        runs=len(records), seeds=", ".join(map(str, seeds)), diverged=diverged
    )
    trained = _("{versions}; processor: {machines}").format(
        versions=", ".join(sorted(versions)), machines=", ".join(sorted(machines))
    )
    return [
        (_("Profile"), profile),
        (_("Data"), ", ".join(f"{name} ({source})" for name, source in sources.items())),
        (_("Runs"), runs),
        (_("Trained with"), trained),
        *([(_("Accelerator"), told)] if loose else []),
    ]


def shortcut_text(shortcuts: pd.DataFrame, used: set[tuple[str, str]]) -> str:
    """The AUC that features of the files alone reach on the test images of a study's (cohort, protocol) pairs."""
    by_protocol = [
        _("protocol {protocol}: {aucs}").format(
            protocol=protocol, aucs=", ".join(f"{_(str(row.feature))} {row.auc:.3f}" for row in rows.itertuples())
        )
        for (cohort, protocol), rows in shortcuts.dropna(subset="auc").groupby(["cohort", "protocol"], sort=False)
        if (cohort, protocol) in used
    ]
    if not by_protocol:
        return ""
    return _("AUC on test that the files alone reach, no image looked at: {protocols}.").format(
        protocols="; ".join(by_protocol)
    )
