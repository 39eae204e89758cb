"""The one page: headline, verdicts, a section a study, the data. Self-contained HTML, no script, no outside file."""

import dataclasses
from collections.abc import Sequence

from cxrbench.evaluation.verdicts import VERDICTS, Verdict
from cxrbench.reporting import protocols, tables, template
from cxrbench.reporting.data import Plain
from cxrbench.reporting.gallery import Gallery
from cxrbench.reporting.study import Section

SIGNS = dict(zip(VERDICTS, ("✓", "✗", "~", "–")))


@dataclasses.dataclass(frozen=True)
class Line:
    """One claim and its verdict as shown."""

    verdict: str
    sign: str
    study: str
    statement: str
    where: str
    difference: str
    interval: str
    n: str
    reason: str


def verdict_line(verdict: Verdict) -> Line:
    claim, found = verdict.claim, verdict.decisive
    difference = interval = ""
    n = f"{verdict.runs} runs" if verdict.runs else ""
    if found is not None and found.value == found.value:
        metric = claim.metric
        if found.contrast.b is None:
            unit = " %" if metric in tables.PERCENT else ""
            difference = f"{found.contrast.a}: {tables.number(metric, found.value)}{unit}"
            interval = f"[{tables.number(metric, found.low)} to {tables.number(metric, found.high)}]"
        else:
            difference = tables.gap(metric, found.value)
            interval = tables.gap(metric, found.low, found.high)
        if found.patients:
            n += f", {found.patients:,} patients"
    where = tables.TITLES[claim.metric].split(",")[0] + ("" if "seconds" in claim.metric else f", {claim.part}")
    sign = SIGNS[verdict.verdict]
    return Line(verdict.verdict, sign, claim.study, claim.statement, where, difference, interval, n, verdict.reason)


def headline(verdicts: Sequence[Verdict]) -> str:
    """One sentence: how the claims fared."""
    if not verdicts:
        return "The papers at hand make no claim that these studies can test."
    count = {word: sum(one.verdict == word for one in verdicts) for word in VERDICTS}
    many = f"{len(verdicts)} published claims" if len(verdicts) > 1 else "one published claim"
    untested, undecided = count["not tested"], f"leave {count['undecided']} undecided"
    rest = f", {undecided} and do not test {untested}" if untested else f" and {undecided}"
    return f"Of {many}, our runs support {count['supported']}, contradict {count['contradicted']}{rest}."


def render(
    head: str,
    cautions: Sequence[str],
    facts: Sequence[tuple[str, str]],
    rules: str,
    verdicts: Sequence[Verdict],
    sections: Sequence[Section],
    data: Sequence[Plain],
    changes: protocols.Protocols | None = None,
    galleries: Sequence[Gallery] = (),
) -> str:
    """The whole page; ``facts`` are name and value, ``rules`` says how a verdict is reached."""
    return template.render(
        "report.html.j2",
        head=head,
        cautions=cautions,
        facts=facts,
        rules=rules,
        verdicts=[verdict_line(one) for one in verdicts],
        sections=sections,
        data=data,
        changes=changes,
        changes_title=protocols.TITLE,
        galleries=galleries,
        titles=tables.TITLES,
        selection=tables.SELECTION,
        spread=tables.SPREAD,
    )
