"""A paper's claim against our runs: supported, contradicted, undecided or not tested, and why.

'Better' is read as better by more than the margin. A verdict needs the whole interval: 'supported' lies wholly
beyond the margin on the claim's side, 'contradicted' wholly beyond it on the other, and everything else is
undecided; the reason says whether the difference is known to be of no practical weight or not known at all.
"""

import dataclasses
from collections.abc import Sequence

from cxrbench.evaluation.comparisons import Comparison, Pair, Rules, Study, all_pairs, compare
from cxrbench.evaluation.metrics import TIMES

KINDS = ("best", "better", "equal", "value")
VERDICTS = ("supported", "contradicted", "undecided", "not tested")


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


@dataclasses.dataclass(frozen=True)
class Verdict:
    """The answer, with the comparison that decided it (None where nothing was compared)."""

    claim: Claim
    verdict: str
    reason: str
    runs: int = 0  # of the setting that has fewest
    decisive: Comparison | None = None


def judge(claims: Sequence[Claim], study: Study, rules: Rules) -> list[Verdict]:
    """A verdict on each claim of one study; their comparisons are adjusted together (Holm)."""
    missing = [_missing(claim, study) for claim in claims]
    pairs = [[] if lack else _pairs(claim, rules.margin) for claim, lack in zip(claims, missing)]
    answers = iter(compare(study, [pair for group in pairs for pair in group], rules))
    verdicts = []
    for claim, lack, group in zip(claims, missing, pairs):
        if lack:
            verdicts.append(Verdict(claim, "not tested", lack))
        else:
            verdicts.append(_verdict(claim, [next(answers) for _ in group], study))
    return verdicts


def _missing(claim: Claim, study: Study) -> str:
    """Why a claim can not be tested, or an empty string."""
    if not study:
        return "params.yaml has no such study."
    for setting in (*claim.settings, *claim.against):
        if not study.get(setting):
            return f"No run of {setting}."
        if claim.metric not in TIMES and any(claim.part not in run.status for run in study[setting]):
            return f"Our runs of {setting} have no {claim.part} images."
    return ""


def _pairs(claim: Claim, margin: float) -> list[Pair]:
    zone = (-margin, margin)
    if claim.kind in ("best", "better"):
        (setting,) = claim.settings
        return [Pair(claim.metric, claim.part, setting, other, zone) for other in claim.against]
    if claim.kind == "equal":
        return [Pair(claim.metric, claim.part, a, b, zone) for a, b in all_pairs(claim.settings)]
    if claim.value is None:
        raise ValueError(f"claim {claim.id} is of kind value and has none")
    zone = (claim.value[0] - margin, claim.value[1] + margin)
    return [Pair(claim.metric, claim.part, setting, None, zone) for setting in claim.settings]


def _verdict(claim: Claim, found: Sequence[Comparison], study: Study) -> Verdict:
    wanted, refuting = ("above", ("below",)) if claim.kind in ("best", "better") else ("inside", ("above", "below"))
    refuted = [one for one in found if one.place in refuting]
    doubtful = [one for one in found if one.place != wanted]
    word = "contradicted" if refuted else "undecided" if doubtful else "supported"
    decisive = _decisive(claim, refuted or doubtful or list(found))
    reason = _reason(claim, word, decisive) + _flags(claim, study)
    runs = min(len(study[setting]) for setting in (*claim.settings, *claim.against))
    return Verdict(claim, word, reason, runs, decisive)


def _decisive(claim: Claim, found: Sequence[Comparison]) -> Comparison:
    """The comparison a verdict hangs on: one without a number, else the strongest rival or largest departure."""
    for one in found:
        if one.place == "blocked":
            return one
    with_number = [one for one in found if one.value == one.value] or list(found)
    if claim.kind in ("best", "better"):
        return min(with_number, key=lambda one: one.value)
    return max(with_number, key=lambda one: abs(one.value - sum(one.pair.zone) / 2))


def _reason(claim: Claim, word: str, one: Comparison) -> str:
    a, b = f"'{one.pair.a}'", f"'{one.pair.b}'"
    if one.reason:
        return one.reason[0].upper() + one.reason[1:] + "."
    if claim.kind == "value":
        where = {
            "above": "lies above the published value and its margin",
            "below": "lies below the published value and its margin",
            "inside": "lies within the margin of the published value",
            "open": "crosses the edge of the published value and its margin",
        }
        return f"The interval of {a} {where[one.place]}."
    if one.place == "inside":
        return f"{a} and {b} differ by less than the margin: no difference of practical weight."
    if one.place == "open":
        return f"The interval between {a} and {b} covers the margin: more runs or images are needed to tell."
    better, other = (a, b) if one.place == "above" else (b, a)
    return f"{better} is better than {other} by more than the margin."


def _flags(claim: Claim, study: Study) -> str:
    """Names settings with degenerate runs, whose figures say nothing of images."""
    told = []
    for setting in (*claim.settings, *claim.against):
        runs = study[setting]
        bad = sum(run.status.get(claim.part) == "degenerate" for run in runs)
        if bad:
            told.append(f"{setting}: {bad} of {len(runs)} runs call one class only")
    return f" ({'; '.join(told)}.)" if told else ""
