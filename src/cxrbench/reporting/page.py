"""The one page: headline, verdicts, a section a study, the data. Self-contained HTML, no script, no outside file."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from cxrbench.base.language import _
from cxrbench.evaluation.verdicts import VERDICTS, Verdict
from cxrbench.reporting import protocols, tables, template
from cxrbench.reporting.attention import Attention
from cxrbench.reporting.gallery import Gallery
from cxrbench.reporting.own_figures import NO_FIGURES, OwnFigures, chance_note, chance_text, possible_text
from cxrbench.reporting.study import Section
from cxrbench.reporting.text_tables import TextTable

SIGNS = dict(zip(VERDICTS, ("✓", "✗", "~", "–")))


@dataclasses.dataclass(frozen=True)
class Line:
    """One claim and its verdict as shown."""

    verdict: str
    sign: str
    study: str
    statement: str
    measure: str  # the metric and the part
    figures: str  # whether the printed ones can be true
    chance: str  # that the claim is false, by the paper's own number of images
    chance_note: str
    difference: str
    interval: str
    n: str
    seeds: str  # that would decide it
    reason: str


def verdict_line(verdict: Verdict, own: OwnFigures = NO_FIGURES) -> Line:
    claim, decisive = verdict.claim, verdict.decisive
    difference = interval = ""
    n = _("{runs} runs").format(runs=verdict.runs) if verdict.runs else ""
    if decisive is not None and math.isfinite(decisive.value):
        metric = claim.metric
        if decisive.contrast.b is None:
            unit = " %" if metric in tables.PERCENT else ""
            difference = f"{decisive.contrast.a}: {tables.number(metric, decisive.value)}{unit}"
        else:
            difference = tables.gap(metric, decisive.value)
        interval = tables.interval(decisive)
        if decisive.patients:
            n = _("{runs} runs, {patients} patients").format(runs=verdict.runs, patients=f"{decisive.patients:,}")
    measure = _(tables.TITLES[claim.metric]).split(",")[0] + ("" if "seconds" in claim.metric else f", {_(claim.part)}")
    return Line(
        verdict.verdict,
        SIGNS[verdict.verdict],
        claim.study,
        _(claim.statement),
        measure,
        possible_text(own),
        chance_text(own),
        chance_note(own),
        difference,
        interval,
        n,
        seeds_needed(verdict),
        verdict.reason,
    )


def seeds_needed(verdict: Verdict) -> str:
    """The seeds a setting that would decide an undecided claim; empty where there is nothing to say."""
    if math.isnan(verdict.seeds_needed):
        return ""
    if math.isinf(verdict.seeds_needed):
        return _("more images")
    return _("about {seeds}").format(seeds=f"{verdict.seeds_needed:,.0f}")


def headline(verdicts: Sequence[Verdict]) -> str:
    """One sentence: how the claims fared."""
    if not verdicts:
        return _("The papers at hand make no claim that these studies can test.")
    count = {word.replace(" ", "_"): sum(one.verdict == word for one in verdicts) for word in VERDICTS}
    one = _("one published claim")
    many = _("{count} published claims").format(count=len(verdicts)) if len(verdicts) > 1 else one
    if count["not_tested"]:
        sentence = _(
            "Of {claims}, our runs support {supported}, contradict {contradicted}, leave {undecided} undecided and do"
            " not test {not_tested}."
        )
    else:
        sentence = _(
            "Of {claims}, our runs support {supported}, contradict {contradicted} and leave {undecided} undecided."
        )
    return sentence.format(claims=many, **count)


def render(
    head: str,
    cautions: Sequence[str],
    facts: Sequence[tuple[str, str]],
    rules: Sequence[str],
    verdicts: Sequence[Verdict],
    sections: Sequence[Section],
    data: Sequence[TextTable],
    changes: protocols.Protocols | None = None,
    own: Mapping[str, OwnFigures] = MappingProxyType({}),
    seeds: TextTable | None = None,
    galleries: Sequence[Gallery] = (),
    appendix: Sequence[TextTable] = (),
    attention: Attention | None = None,
    splits: TextTable | None = None,
) -> str:
    """The whole page; ``facts`` are name and value, ``rules`` are paragraphs, ``own`` is by claim, ``seeds`` says
    what more of them would decide."""
    return template.render(
        "report.html.j2",
        head=head,
        cautions=cautions,
        facts=facts,
        rules=rules,
        verdicts=[verdict_line(one, own.get(one.claim.id, NO_FIGURES)) for one in verdicts],
        sections=sections,
        data=data,
        changes=changes,
        changes_title=_(protocols.TITLE),
        seeds=seeds,
        galleries=galleries,
        appendix=appendix,
        attention=attention,
        splits=splits,
        titles=tables.TITLES,
        selection=_(tables.SELECTION),
        spread=_(tables.SPREAD),
    )
