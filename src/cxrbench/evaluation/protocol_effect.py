"""What the way of dividing images changes: the same settings under each protocol, against protocol 'paper'.

A protocol decides which images train and which test, so a change mixes what a leak is worth with what another test
set is worth; patients that both test sets hold are resampled together, which takes out what they share. Beside the
size of the change stands whether a reader would conclude the same: who wins on validation, and in which order the
settings come on test (Kendall's tau-b, 1938/1945: 1 the same order, -1 the reverse).
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence

from cxrbench.evaluation.comparisons import Comparison, Contrast, Rules, Run, StudyRuns, compare
from cxrbench.evaluation.metrics import evaluate

REFERENCE = "paper"
METRICS = ("accuracy", "auc")
PART = "test"


@dataclasses.dataclass(frozen=True)
class Change:
    """One setting's metric under one protocol, less the same under 'paper'; means over seeds."""

    setting: str
    protocol: str
    metric: str
    reference: float  # NaN where a run diverged
    value: float
    comparison: Comparison  # its value, low and high are of value - reference

    @property
    def size(self) -> float:
        return self.value - self.reference


@dataclasses.dataclass(frozen=True)
class Effect:
    """One study under several protocols."""

    study: str
    settings: tuple[str, ...]
    protocols: tuple[str, ...]  # without 'paper'
    changes: tuple[Change, ...]
    winners: Mapping[str, str | None]  # protocol -> the setting that validation names; None: every one diverged
    order: Mapping[str, float]  # protocol -> Kendall's tau-b with the order of test accuracies under 'paper', or NaN

    @property
    def size(self) -> float:
        """How much the study changes: the mean absolute change of test accuracy over settings and protocols."""
        sizes = [abs(one.size) for one in self.changes if one.metric == METRICS[0] and math.isfinite(one.size)]
        return sum(sizes) / len(sizes) if sizes else 0.0

    def of(self, protocol: str, metric: str) -> list[Change]:
        """The changes of one metric under one protocol, in the order of the settings."""
        return [one for one in self.changes if (one.protocol, one.metric) == (protocol, metric)]


def effect(
    name: str,
    runs: StudyRuns,
    labels: Mapping[tuple[str, str], str],
    winners: Mapping[str, str | None],
    rules: Rules,
) -> Effect:
    """The effect of the protocols on study ``name``.

    ``labels`` says (setting, protocol) -> the label under which ``runs`` holds its runs; a setting counts where it
    was run under 'paper' and under another protocol. All changes of the study are one family.
    """
    settings = tuple(dict.fromkeys(s for s, p in labels if p != REFERENCE and (s, REFERENCE) in labels))
    protocols = tuple(dict.fromkeys(p for s, p in labels if p != REFERENCE and s in settings))
    cells = [(s, p, m) for s in settings for p in protocols if (s, p) in labels for m in METRICS]
    zone = (-rules.margin, rules.margin)
    contrasts = [Contrast(metric, PART, labels[s, p], labels[s, REFERENCE], zone) for s, p, metric in cells]
    changes = [
        Change(s, p, metric, _mean(runs[labels[s, REFERENCE]], metric), _mean(runs[labels[s, p]], metric), one)
        for (s, p, metric), one in zip(cells, compare(runs, contrasts, rules))
    ]
    found = Effect(name, settings, protocols, tuple(changes), winners, {})
    order = {p: _order(found.of(p, METRICS[0])) for p in protocols}
    return dataclasses.replace(found, order=order)


def most_changed(effects: Sequence[Effect]) -> list[Effect]:
    """The studies by how much they change, the most changed first."""
    return sorted(effects, key=lambda one: -one.size)


def largest(changes: Sequence[Change]) -> Change | None:
    """The largest change that is a number, up or down."""
    finite = [one for one in changes if math.isfinite(one.size)]
    return max(finite, key=lambda one: abs(one.size)) if finite else None


def _mean(runs: Sequence[Run], metric: str) -> float:
    """The mean over seeds; NaN where one run diverged, for a mean of the others would hide it."""
    if any("diverged" in run.status.values() for run in runs):
        return math.nan
    values = [evaluate(run.scores[PART].target, run.scores[PART].score)[1][metric] for run in runs]
    return sum(values) / len(values)


def _order(changes: Sequence[Change]) -> float:
    from scipy.stats import kendalltau

    finite = [one for one in changes if math.isfinite(one.size)]
    if len(finite) < 2:
        return math.nan
    return float(kendalltau([one.reference for one in finite], [one.value for one in finite]).statistic)
