"""What a paper's own figures say of its claims before any run of ours: can they be true, could its n carry them?"""

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np

from cxrbench.base.language import N_, _
from cxrbench.evaluation.comparisons import Run, StudyRuns
from cxrbench.evaluation.verdicts import Claim
from cxrbench.published import chance
from cxrbench.published.consistency import Impossible
from cxrbench.published.counts import Images
from cxrbench.published.papers import Paper

# Metrics that are the share of some images that a network gets right; of which class.
SHARES: Mapping[str, tuple[int, ...]] = {"accuracy": (0, 1), "recall": (1,), "specificity": (0,)}


@dataclasses.dataclass(frozen=True)
class OwnFigures:
    """Of one claim."""

    printed: bool = False  # whether the paper prints figures for it that follow from counts
    impossible: Sequence[Impossible] = ()  # findings in which a figure of the claim stands
    rival: str = ""  # the setting against which the claim is likeliest false
    least: float = math.nan  # probability that the claim is false, over every congruence
    most: float = math.nan
    ours: float = math.nan  # at the congruence of our own runs


NO_FIGURES = OwnFigures()
# What can be said of printed figures; tables/claims.csv holds the words as they stand here.
POSSIBLE, CUT = N_("possible"), N_("only with digits cut off")
IMPOSSIBLE, TOGETHER = N_("impossible"), N_("impossible together")


def own_figures(paper: Paper, found: Sequence[Impossible], runs: StudyRuns) -> dict[str, OwnFigures]:
    """Claim -> what the paper's figures say of it.

    ``found`` is what its tables can't be, ``runs`` are ours of its study, for their congruence.
    """
    return {claim.id: _of_claim(claim, paper, found, runs) for claim in paper.claims}


def _of_claim(claim: Claim, paper: Paper, found: Sequence[Impossible], runs: StudyRuns) -> OwnFigures:
    images = paper.images(claim.part)
    figures = {name: _share(paper, claim, name) for name in claim.names}
    printed = images is not None and claim.metric in images.metrics and not math.isnan(max(figures.values()))
    touched = [
        one
        for one in found
        if one.row in claim.names and claim.metric in one.figures and one.table.part == claim.part
    ]  # fmt: skip
    chances = []
    if printed and images and claim.against and claim.metric in SHARES:
        n, (setting,) = _counted(images, claim.metric), claim.settings
        for rival in claim.against:
            a, b = figures[setting], figures[rival]
            least, most = chance.false_claim_range(a, b, n)
            chances.append((most, least, rival, _at_ours(a, b, n, claim, rival, runs)))
    if not chances:
        return OwnFigures(printed, touched)
    most, least, rival, ours = max(chances, key=lambda one: one[0])
    return OwnFigures(printed, touched, rival, least, most, ours)


def _share(paper: Paper, claim: Claim, setting: str) -> float:
    """The one figure that the paper prints; NaN where it prints none or two ends."""
    found = paper.figure(claim.part, setting, claim.metric)
    return float(found[0]) if found and found[0] == found[1] else math.nan


def _counted(images: Images, metric: str) -> int:
    return sum((images.negative, images.positive)[target] for target in SHARES[metric])


def _at_ours(a: float, b: float, n: int, claim: Claim, rival: str, runs: StudyRuns) -> float:
    """``false_claim`` at the congruence of our runs of the two settings, seed by seed; NaN without such runs."""
    rivals = {run.seed: run for run in runs.get(rival, ())}
    places = [
        place
        for run in runs.get(claim.settings[0], ())
        if run.seed in rivals and not math.isnan(place := _place(run, rivals[run.seed], claim))
    ]
    return chance.false_claim(a, b, n, chance.at(float(np.mean(places)), a, b)) if places else math.nan


def _place(one: Run, other: Run, claim: Claim) -> float:
    """Where the congruence of two runs lies between the least and the greatest that their own shares allow."""
    if claim.part not in one.scores or claim.part not in other.scores:
        return math.nan
    first, second = one.scores[claim.part], other.scores[claim.part]
    if not np.array_equal(first.target, second.target):
        return math.nan
    judged = np.isin(first.target, SHARES[claim.metric])
    right = [scores.right[judged] for scores in (first, second)]
    if not judged.any():
        return math.nan
    return chance.place(float((right[0] & right[1]).mean()), float(right[0].mean()), float(right[1].mean()))


def possible_word(own: OwnFigures) -> str:
    """Can the printed figures be true?"""
    if not own.printed:
        return "–"
    if not own.impossible:
        return POSSIBLE
    one = _plainest(own)
    return CUT if one.cut else TOGETHER if len(one.figures) > 1 else IMPOSSIBLE


def possible_text(own: OwnFigures) -> str:
    """Can the printed figures be true, and which can't?"""
    word = _(possible_word(own))
    if not own.printed or not own.impossible:
        return word
    one = _plainest(own)
    return f"{word}: {one.row}: {', '.join(f'{_(metric)} {figure.printed}' for metric, figure in one.figures.items())}"


def _plainest(own: OwnFigures) -> Impossible:
    return min(own.impossible, key=lambda one: one.cut)


def chance_text(own: OwnFigures) -> str:
    """Could the paper's number of images carry the claim?"""
    if math.isnan(own.most):
        return "–"
    return _("{low} to {high} % false").format(low=f"{100 * own.least:.0f}", high=f"{100 * own.most:.0f}")


def chance_note(own: OwnFigures) -> str:
    """Against which setting, and what our own runs add."""
    if math.isnan(own.most):
        return ""
    if math.isnan(own.ours):
        return _("against {rival}").format(rival=own.rival)
    return _("against {rival}; {ours} % at our congruence").format(rival=own.rival, ours=f"{100 * own.ours:.0f}")
