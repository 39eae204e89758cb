"""The one page: headline, verdicts, a section a study, the data. Self-contained HTML, no script, no outside file."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from cxrbench.evaluation.verdicts import VERDICTS, Verdict
from cxrbench.reporting import protocols, tables, template
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
    n = f"{verdict.runs} runs" if verdict.runs else ""
    if decisive is not None and math.isfinite(decisive.value):
        metric = claim.metric
        if decisive.contrast.b is None:
            unit = " %" if metric in tables.PERCENT else ""
            difference = f"{decisive.contrast.a}: {tables.number(metric, decisive.value)}{unit}"
        else:
            difference = tables.gap(metric, decisive.value)
        interval = tables.interval(decisive)
        if decisive.patients:
            n += f", {decisive.patients:,} patients"
    measure = tables.TITLES[claim.metric].split(",")[0] + ("" if "seconds" in claim.metric else f", {claim.part}")
    return Line(
        verdict.verdict,
        SIGNS[verdict.verdict],
        claim.study,
        claim.statement,
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
    return f"about {verdict.seeds_needed:,.0f}" if math.isfinite(verdict.seeds_needed) else "more images"


def headline(verdicts: Sequence[Verdict]) -> str:
    """One sentence: how the claims fared."""
    if not verdicts:
        return "The papers at hand make no claim that these studies can test."
    count = {word: sum(one.verdict == word for one in verdicts) for word in VERDICTS}
    many = f"{len(verdicts)} published claims" if len(verdicts) > 1 else "one published claim"
    undecided, untested = f"leave {count['undecided']} undecided", count["not tested"]
    rest = f", {undecided} and do not test {untested}" if untested else f" and {undecided}"
    return f"Of {many}, our runs support {count['supported']}, contradict {count['contradicted']}{rest}."


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
        changes_title=protocols.TITLE,
        seeds=seeds,
        galleries=galleries,
        appendix=appendix,
        titles=tables.TITLES,
        selection=tables.SELECTION,
        spread=tables.SPREAD,
    )
