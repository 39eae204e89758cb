"""The one page: headline, verdicts, a section a study, the data. Self-contained HTML that asks for no other file.

Its own script alone may run in it, by the page's Content-Security-Policy, and the page reads well without.
"""

import base64
import dataclasses
import hashlib
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from cxrbench.base.language import _
from cxrbench.evaluation.verdicts import VERDICTS, Verdict
from cxrbench.reporting import protocols, tables, template
from cxrbench.reporting.attention import Attention
from cxrbench.reporting.claim_2024 import Checklist, checklist
from cxrbench.reporting.gallery import Gallery
from cxrbench.reporting.own_figures import NO_FIGURES, OwnFigures, chance_note, chance_text, possible_text
from cxrbench.reporting.study import Section
from cxrbench.reporting.text_tables import TextTable

SCRIPT = Path(__file__).with_name("page.js")
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
    order: str  # the number by which differences are sorted
    interval: str
    n: str
    seeds: str  # that would decide it
    reason: str


def verdict_line(verdict: Verdict, own: OwnFigures = NO_FIGURES) -> Line:
    claim, decisive = verdict.claim, verdict.decisive
    difference = order = interval = ""
    n = _("{runs} runs").format(runs=verdict.runs) if verdict.runs else ""
    if decisive is not None and math.isfinite(decisive.value):
        metric = claim.metric
        if decisive.contrast.b is None:
            unit = " %" if metric in tables.PERCENT else ""
            difference = f"{decisive.contrast.a}: {tables.number(metric, decisive.value)}{unit}"
        else:
            difference = tables.gap(metric, decisive.value)
        order = f"{decisive.value:.6g}"
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
        order,
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


def headline(verdicts: Sequence[Verdict], studies: Sequence[str]) -> str:
    """One sentence: how the claims fared, or, where there are none, what the ``studies`` ask."""
    if not verdicts:
        if len(studies) == 1:
            return _("Study {study}: which setting is best?").format(study=studies[0])
        return _("Which setting is best in each of {count} studies?").format(count=len(studies))
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
    origins: Sequence[TextTable] = (),
    splits: TextTable | None = None,
) -> str:
    """The whole page; ``facts`` are name and value, ``rules`` are paragraphs, ``own`` is by claim, ``seeds`` says
    what more of them would decide."""
    script = SCRIPT.read_text(encoding="utf-8")
    there = {"cautions": cautions, "protocols": changes, "attention": attention and attention.table}
    return template.render(
        "report.html.j2",
        script=script,
        script_hash=f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}",
        head=head,
        cautions=cautions,
        facts=facts,
        rules=rules,
        verdicts=[verdict_line(one, own.get(one.claim.id, NO_FIGURES)) for one in verdicts],
        sections=sections,
        checklists=_checklists(sections, {**there, "provenance": origins}),
        data=data,
        changes=changes,
        changes_title=_(protocols.TITLE),
        seeds=seeds,
        galleries=galleries,
        appendix=appendix,
        attention=attention,
        origins=origins,
        splits=splits,
        titles=tables.TITLES,
        selection=_(tables.SELECTION),
        spread=_(tables.SPREAD),
    )


def _checklists(sections: Sequence[Section], there: Mapping[str, object]) -> dict[str, Checklist]:
    """Study -> its checklist; ``there`` holds the content of each section that a page may lack, by its id."""
    ids = {"claims", "facts", "rules", "data", *(name for name, content in there.items() if content)}
    ids |= {f"study-{one.name}" for one in sections if one.tables}
    return {one.name: checklist(one.name, one.paper.claim_2024 if one.paper else None, ids) for one in sections}
