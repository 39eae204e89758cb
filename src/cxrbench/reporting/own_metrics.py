"""Metrics of one's own in a study: a mean and a difference to the winner for each setting, as for the others."""

import math
from collections.abc import Iterable

import numpy as np

from cxrbench.base.language import _
from cxrbench.evaluation.comparisons import Contrast, Rules, StudyRuns, compare
from cxrbench.evaluation.metrics import OwnMetric, own
from cxrbench.evaluation.resampling import Scores
from cxrbench.evaluation.summaries import Stat, Summary, winner
from cxrbench.reporting.tables import between, level
from cxrbench.reporting.text_tables import TextTable

PART = "test"


def table(groups: Iterable[Summary], runs: StudyRuns, rules: Rules) -> TextTable | None:
    """A row a setting that has test images; None where no metric is asked for.

    ``groups`` are the settings of each split. All differences of the study are one family.
    """
    metrics = {name: own(name) for name in rules.metrics}
    winners = {label: winner(group) for group in groups for label in group.get(PART, ())}
    if not metrics or not winners:
        return None
    zone = (-rules.margin, rules.margin)
    contrasts = [
        Contrast(name, PART, label, named, zone)
        for label, named in winners.items()
        for name in metrics
        if named is not None and named != label
    ]
    compared = {(one.contrast.a, one.contrast.metric): one for one in compare(runs, contrasts, rules)}
    rows = []
    for label, named in winners.items():
        row = [label]
        for name, metric in metrics.items():
            one = compared.get((label, name))
            row.append(_mean(metric, [run.scores[PART] for run in runs[label]]))
            if one is None:
                row.append(_("winner") if label == named else "–")
            elif math.isfinite(one.value):
                ends = between(_number(metric, one.low, "+"), _number(metric, one.high, "+"))
                interval = _("{interval} at {level}").format(interval=f"[{ends}]", level=level(one.confidence))
                row.append(f"{_number(metric, one.value, '+')}\n{interval}")
            else:
                row.append(f"–\n{one.reason}")
        rows.append(row)
    less = _("less the winner’s, its interval and level")
    heads = [_("Setting"), *(head for metric in metrics.values() for head in (metric.title, f"{metric.title}\n{less}"))]
    note = _(
        "On the test images. Mean ± sample SD over seeds; a difference is positive where the setting is better than the"
        " winner on validation."
    )
    return TextTable(_("Metrics of your own"), note, heads, rows, 99)


def _mean(metric: OwnMetric, runs: list[Scores]) -> str:
    values = tuple(float(metric.value(run.target, run.score, np.ones((1, len(run.score))))[0]) for run in runs)
    stat = Stat(values)
    spread = f" ± {_number(metric, stat.sd)}" if math.isfinite(stat.sd) else ""
    return f"{_number(metric, stat.mean)}{spread}"


def _number(metric: OwnMetric, value: float, sign: str = "") -> str:
    if not math.isfinite(value):
        return "–"
    return f"{100 * value if metric.percent else value:{sign}.{2 if metric.percent else 4}f}".replace("-", "−")
