"""A paper's claim against our runs: supported, contradicted, undecided or not tested, and why.

'Better' is read as better by more than the margin. A verdict needs the whole interval: 'supported' lies wholly
beyond the margin on the claim's side, 'contradicted' wholly beyond it on the other, and everything else is
undecided; the reason says whether the difference is known to be of no practical weight or not known at all.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence

from cxrbench.base.language import N_, _, retold
from cxrbench.config.studies import NOT_RUN
from cxrbench.evaluation.comparisons import Comparison, Contrast, Question, Rules, Run, StudyRuns, all_pairs, answer
from cxrbench.evaluation.decisions import side_of
from cxrbench.evaluation.metrics import TIMES

KINDS = ("best", "better", "equal", "value")
VERDICTS = (N_("supported"), N_("contradicted"), N_("undecided"), N_("not tested"))
TIMED_WITH = (N_("machine"), N_("threads"), N_("workers"), N_("alone"))  # fields of Timing


@dataclasses.dataclass(frozen=True)
class Claim:
    """One statement of a paper. best, better: ``settings`` beats each of ``against``; equal: ``settings`` do not
    differ; value: each of ``settings`` lies between the two of ``value`` (in the metric's own unit)."""

    id: str
    study: str
    statement: str
    kind: str
    metric: str
    part: str
    settings: tuple[str, ...]
    against: tuple[str, ...] = ()
    value: tuple[float, float] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Every setting that the claim speaks of."""
        return (*self.settings, *self.against)

    @property
    def wanted(self) -> str:
        """The relation that every contrast of a true claim has."""
        return "above" if self.kind in ("best", "better") else "inside"

    @property
    def refuting(self) -> tuple[str, ...]:
        """The relations of which one refutes the claim."""
        return ("below",) if self.kind in ("best", "better") else ("above", "below")


@dataclasses.dataclass(frozen=True)
class Verdict:
    """The answer, with the comparison that decided it (None where nothing was compared)."""

    claim: Claim
    verdict: str
    reason: str
    runs: int = 0  # of the setting that has fewest
    decisive: Comparison | None = None
    seeds_needed: float = math.nan  # seeds a setting that would decide an undecided claim; inf: no number would


def judge(
    claims: Sequence[Claim], study: StudyRuns, rules: Rules, skipped: Mapping[str, str] | None = None
) -> list[Verdict]:
    """A verdict on each claim of one study; the claims are one family.

    ``skipped`` says of settings that were not run why (setting label -> reason).
    """
    obstacles = [_obstacle(claim, study, skipped or {}) for claim in claims]
    testable = [claim for claim, obstacle in zip(claims, obstacles) if not obstacle]
    questions = [Question(_contrasts(claim, rules.margin), claim.wanted) for claim in testable]
    comparisons = iter(answer(study, questions, rules))
    return [
        Verdict(claim, "not tested", obstacle) if obstacle else _verdict(claim, next(comparisons), study)
        for claim, obstacle in zip(claims, obstacles)
    ]


def _obstacle(claim: Claim, study: StudyRuns, skipped: Mapping[str, str]) -> str:
    """Why a claim can't be tested, as a sentence, or an empty string."""
    for setting in claim.names:
        if setting in skipped:
            return _("{setting} was skipped: {reason}.").format(
                setting=setting, reason=retold(skipped[setting], [NOT_RUN])
            )
    if not study:
        return _("params.yaml has no such study.")
    for setting in claim.names:
        if not study.get(setting):
            return _("No run of {setting}.").format(setting=setting)
        if claim.metric not in TIMES and any(claim.part not in run.status for run in study[setting]):
            return _("Our runs of {setting} have no {part} images.").format(setting=setting, part=_(claim.part))
    if claim.metric in TIMES and (reason := _why_times_differ([run for s in claim.names for run in study[s]])):
        return _("Not comparable: {reason}.").format(reason=reason)
    return ""


def _why_times_differ(runs: Sequence[Run]) -> str:
    """Why the times of ``runs`` depend on more than their settings, or an empty string."""
    timings = [run.timing for run in runs if run.timing is not None]
    if len(timings) < len(runs):
        return _(
            "{missing} of {runs} runs do not record on which machine and beside how many others they trained"
        ).format(missing=len(runs) - len(timings), runs=len(runs))
    for name in TIMED_WITH:
        values = sorted({str(getattr(timing, name)) for timing in timings})
        if len(values) > 1:
            return _("the runs were not timed alike ({name}: {values})").format(
                name=_(name), values=_(" and ").join(values)
            )
    if timings[0].workers > 1 and not timings[0].alone:
        return _("{workers} runs were trained side by side and shared the processor's cores").format(
            workers=timings[0].workers
        )
    return ""


def _contrasts(claim: Claim, margin: float) -> list[Contrast]:
    zone = (-margin, margin)
    if claim.kind in ("best", "better"):
        (setting,) = claim.settings
        return [Contrast(claim.metric, claim.part, setting, other, zone) for other in claim.against]
    if claim.kind == "equal":
        return [Contrast(claim.metric, claim.part, a, b, zone) for a, b in all_pairs(claim.settings)]
    if claim.value is None:
        raise ValueError(f"claim {claim.id} is of kind value and has none")
    low, high = claim.value
    # The margin of a time is a share, as that of a difference of two times is.
    zone = (low * (1 - margin), high * (1 + margin)) if claim.metric in TIMES else (low - margin, high + margin)
    return [Contrast(claim.metric, claim.part, setting, None, zone) for setting in claim.settings]


def _verdict(claim: Claim, comparisons: Sequence[Comparison], study: StudyRuns) -> Verdict:
    refuted = [one for one in comparisons if one.relation in claim.refuting]
    doubtful = [one for one in comparisons if one.relation != claim.wanted]
    word = "contradicted" if refuted else "undecided" if doubtful else "supported"
    decisive = _decisive(claim, refuted or doubtful or comparisons)
    seeds_needed = math.nan if refuted else _seeds_needed(claim, doubtful)
    reason = _reason(claim, decisive, seeds_needed) + _flags(claim, study)
    return Verdict(claim, word, reason, min(len(study[s]) for s in claim.names), decisive, seeds_needed)


def _decisive(claim: Claim, comparisons: Sequence[Comparison]) -> Comparison:
    """The comparison a verdict hangs on: one without a number, else the strongest rival or largest departure."""
    for one in comparisons:
        if one.relation == "blocked":
            return one
    with_number = [one for one in comparisons if math.isfinite(one.value)] or list(comparisons)
    if claim.kind in ("best", "better"):
        return min(with_number, key=lambda one: one.value)
    return max(with_number, key=lambda one: abs(one.value - sum(one.contrast.zone) / 2))


def _seeds_needed(claim: Claim, doubtful: Sequence[Comparison]) -> float:
    """How many seeds a setting would decide the claim if every mean and spread stayed as it is; NaN: none is open.

    One contrast is enough to refute a claim, all are needed to support it. A claim of 'better' whose difference is
    known to lie within the margin stays undecided with any number of seeds.
    """
    if not doubtful or any(one.relation != "open" for one in doubtful):
        return math.nan
    refuting = [one.seeds_needed for one in doubtful if side_of(one.value, one.contrast.zone) in claim.refuting]
    return min(refuting) if refuting else max(one.seeds_needed for one in doubtful)


def _reason(claim: Claim, one: Comparison, seeds_needed: float) -> str:
    a, b = f"'{one.contrast.a}'", f"'{one.contrast.b}'"
    if one.reason:
        return one.reason[0].upper() + one.reason[1:] + "."
    if claim.kind == "value":
        where = {
            "above": _("The interval of {a} lies above the published value and its margin."),
            "below": _("The interval of {a} lies below the published value and its margin."),
            "inside": _("The interval of {a} lies within the margin of the published value."),
            "open": _("The interval of {a} crosses the edge of the published value and its margin."),
        }
        return where[one.relation].format(a=a) + _outlook(claim, one, seeds_needed)
    if one.relation == "inside":
        return _("{a} and {b} differ by less than the margin: no difference of practical weight.").format(a=a, b=b)
    if one.relation == "open":
        covers = _("The interval between {a} and {b} covers the margin.").format(a=a, b=b)
        return covers + _outlook(claim, one, seeds_needed)
    better, other = (a, b) if one.relation == "above" else (b, a)
    return _("{better} is better than {other} by more than the margin.").format(better=better, other=other)


def _outlook(claim: Claim, one: Comparison, seeds_needed: float) -> str:
    """What more seeds would tell, as a sentence with a blank before it, or an empty string."""
    if math.isnan(seeds_needed):
        return ""
    if math.isinf(seeds_needed):
        return _(" More {part} images are needed, not more seeds.").format(part=_(claim.part))
    seeds = f"{seeds_needed:,.0f}"
    if side_of(one.value, one.contrast.zone) == "inside" and claim.wanted != "inside":
        return _(" About {seeds} seeds would show that the difference is of no practical weight.").format(seeds=seeds)
    return _(" About {seeds} seeds would decide it.").format(seeds=seeds)


def _flags(claim: Claim, study: StudyRuns) -> str:
    """Names settings with degenerate runs, whose figures say nothing of images."""
    flags = []
    for setting in claim.names:
        runs = study[setting]
        degenerate = sum(run.status.get(claim.part) == "degenerate" for run in runs)
        if degenerate:
            flag = _("{setting}: {degenerate} of {runs} runs call one class only")
            flags.append(flag.format(setting=setting, degenerate=degenerate, runs=len(runs)))
    return f" ({'; '.join(flags)}.)" if flags else ""
