"""The appendix: textbook tests beside our verdicts, and what accuracy does not ask: calibration and the threshold."""

import dataclasses
import math
import statistics
from collections.abc import Mapping, Sequence

import numpy as np

from cxrbench.base.language import _
from cxrbench.evaluation.calibration import BINS, calibration
from cxrbench.evaluation.comparisons import Run, StudyRuns
from cxrbench.evaluation.crosschecks import delong, mcnemar, wilson
from cxrbench.evaluation.metrics import THRESHOLD
from cxrbench.evaluation.resampling import Scores
from cxrbench.evaluation.summaries import Stat, Summary, winner
from cxrbench.evaluation.thresholds import accuracy_at, youden
from cxrbench.evaluation.verdicts import Claim, Verdict
from cxrbench.reporting.tables import between, gap, number
from cxrbench.reporting.text_tables import TextTable

TESTS = {"accuracy": "McNemar", "auc": "DeLong"}  # metric -> the test of two runs
PART = "test"
LEVEL = 0.05


@dataclasses.dataclass(frozen=True)
class Winner:
    """The winner on validation of one study."""

    study: str
    setting: str
    runs: Sequence[Run]

    def scores(self, part: str) -> list[Scores]:
        """Each run's scores on a part."""
        return [run.scores[part] for run in self.runs]


def appendix(
    verdicts: Sequence[Verdict], summaries: Mapping[str, Summary], runs: Mapping[str, StudyRuns]
) -> list[TextTable]:
    """Its tables; ``summaries`` and ``runs`` are by study."""
    winners = _winners(summaries, runs)
    return [crosschecks(verdicts, runs), calibrations(winners), thresholds(winners)]


def crosschecks(verdicts: Sequence[Verdict], runs: Mapping[str, StudyRuns]) -> TextTable:
    """A row for each claim of 'best' or 'better' in accuracy or AUC on test, and each of its rivals."""
    rows = []
    for verdict in verdicts:
        claim = verdict.claim
        if claim.kind not in ("best", "better") or claim.metric not in TESTS or claim.part != PART:
            continue
        for rival in claim.against:
            cells = _tested(claim, rival, runs.get(claim.study, {}))
            rows.append([claim.id, claim.settings[0], rival, TESTS[claim.metric], *cells, _(verdict.verdict)])
    note = _(
        "Textbook tests of each claim that one setting beats another in accuracy (McNemar, exact) or AUC (DeLong) on"
        " test: its run and the rival's run of one seed, on the same images; the difference is the mean, p the median"
        " over these pairs of runs, in brackets the smallest and the largest. Both tests take images for independent"
        " and a run for the setting: they know nothing of other seeds, of several images of one patient or of the"
        " margin, so a p below {level} does not support a claim, and the verdict is of the whole claim against all"
        " its rivals. A dash: no two runs of one seed have scored the same images, or one of them diverged."
    ).format(level=f"{LEVEL:g}")
    heads = (
        *(_("Claim"), _("Setting"), _("Rival"), _("Textbook test"), _("Pairs"), _("Difference"), _("p, median")),
        _("p below {level}").format(level=f"{LEVEL:g}"),
        _("Our verdict"),
    )
    return TextTable(_("Cross-checks"), note, heads, rows, 4, text_after=8)


def calibrations(winners: Sequence[Winner]) -> TextTable:
    """A row a study: how well the scores of its winner are calibrated on test."""
    rows = []
    for one in winners:
        found = [calibration(scores.target, scores.score) for scores in one.scores(PART)]
        stats = {
            field: Stat(tuple(getattr(each, field) for each in found))
            for field in ("brier", "ece", "intercept", "slope")
        }
        shown = [
            _stat(stats[name], decimals)
            for name, decimals in (("brier", 4), ("ece", 4), ("slope", 2), ("intercept", 2))
        ]
        rows.append([one.study, one.setting, str(len(found)), *shown])
    note = _(
        "Whether the scores of each study's winner on validation mean what they say, on test: mean ± sample SD over"
        " seeds. Brier: mean squared error of the score, 0 at best. ECE: mean gap of score and share of ones in {bins}"
        " bins of equal numbers of images; 0 at best, and above 0 by chance alone on few images. Slope and intercept:"
        " logistic regression of the target on the score's logit; 1 and 0 at best, a slope below 1 means scores too"
        " sure of themselves. A dash: at least one run has no such figure; there is no slope where the scores part the"
        " classes wholly or are all one value."
    ).format(bins=BINS)
    heads = (_("Study"), _("Winner"), _("Runs"), _("Brier"), _("ECE"), _("Slope"), _("Intercept"))
    return TextTable(_("Calibration"), note, heads, rows, 2)


def thresholds(winners: Sequence[Winner]) -> TextTable:
    """A row a study: its winner's accuracy on test at 0.5 and at the threshold that its validation images name."""
    rows = []
    for one in winners:
        on_test, chosen = one.scores(PART), [youden(scores.target, scores.score) for scores in one.scores("validation")]
        plain = Stat(tuple(accuracy_at(THRESHOLD, each.target, each.score) for each in on_test))
        frozen = Stat(tuple(accuracy_at(at, each.target, each.score) for at, each in zip(chosen, on_test)))
        change = frozen.mean - plain.mean
        rows.append(
            [
                one.study,
                one.setting,
                str(len(on_test)),
                _stat(Stat(tuple(chosen)), 3),
                _accuracy(plain, on_test),
                _accuracy(frozen, on_test),
                gap("accuracy", change).removesuffix(_(" points")) if math.isfinite(change) else "–",
            ]
        )
    note = _(
        "Accuracy on test of each study's winner on validation, in %, where a score from {threshold} on calls 1, as"
        " in the papers and in every other table here, and where the threshold is the one of greatest sensitivity +"
        " specificity (Youden's J) on the same run's validation images, never on test: mean ± sample SD over seeds. In"
        " brackets: Wilson's 95 % interval of that share of the test images, the mean taken as one run."
    ).format(threshold=f"{THRESHOLD:g}")
    heads = (
        *(_("Study"), _("Winner"), _("Runs"), _("Threshold")),
        _("Accuracy at {threshold}").format(threshold=f"{THRESHOLD:g}"),
        _("Accuracy at threshold"),
        _("Change, points"),
    )
    return TextTable(_("Thresholds"), note, heads, rows, 2)


def _winners(summaries: Mapping[str, Summary], runs: Mapping[str, StudyRuns]) -> list[Winner]:
    """Of each study that has test images and a winner."""
    named = {study: winner(summary) for study, summary in summaries.items() if PART in summary}
    return [Winner(study, best, runs[study][best]) for study, best in named.items() if best is not None]


def _tested(claim: Claim, rival: str, study: StudyRuns) -> list[str]:
    """Cells: pairs of runs, mean difference, median p with its ends, how many p lie below LEVEL."""
    rivals = {run.seed: run for run in study.get(rival, ())}
    pairs = [(run, rivals[run.seed]) for run in study.get(claim.settings[0], ()) if run.seed in rivals]
    found = [_two_runs(claim.metric, *pair) for pair in pairs]
    if not found or any(math.isnan(p) for _difference, p in found):
        return [str(len(found)), "–", "–", "–"]
    p_values = [p for _difference, p in found]
    ends = f"\n[{between(_p(min(p_values)), _p(max(p_values)))}]" if len(found) > 1 else ""
    return [
        str(len(found)),
        gap(claim.metric, statistics.fmean(difference for difference, _ in found)),
        _p(statistics.median(p_values)) + ends,
        _("{count} of {all}").format(count=sum(p < LEVEL for p in p_values), all=len(found)),
    ]


def _two_runs(metric: str, one: Run, other: Run) -> tuple[float, float]:
    """By how much one run is better than the other, and the test's p; NaN where they can't be paired."""
    if any(PART not in run.scores or run.status.get(PART) == "diverged" for run in (one, other)):
        return math.nan, math.nan
    first, second = one.scores[PART], other.scores[PART]
    if not np.array_equal(first.target, second.target) or not np.array_equal(first.patient, second.patient):
        return math.nan, math.nan
    if metric == "auc":
        aucs = delong(first.target, first.score, second.score)
        return aucs.a - aucs.b, aucs.p
    calls = mcnemar(first.right, second.right)
    return (calls.only_a - calls.only_b) / len(first.target), calls.p


def _accuracy(stat: Stat, runs: Sequence[Scores]) -> str:
    """Mean ± SD, and under it Wilson's interval."""
    mean = stat.mean
    if not math.isfinite(mean):
        return "–"
    images = len(runs[0].target)
    low, high = (number("accuracy", end) for end in wilson(mean * images, images))
    spread = f" ± {number('accuracy', stat.sd)}" if math.isfinite(stat.sd) else ""
    return f"{number('accuracy', mean)}{spread}\n[{between(low, high)}]"


def _stat(stat: Stat, decimals: int) -> str:
    if not math.isfinite(stat.mean):
        return "–"
    spread = f" ± {stat.sd:.{decimals}f}" if math.isfinite(stat.sd) else ""
    return f"{stat.mean:.{decimals}f}{spread}".replace("-", "−")


def _p(value: float) -> str:
    return f"{value:.3f}" if value >= 0.001 else "< 0.001"
