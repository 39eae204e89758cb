"""What a model card says of results: the network's own figures, and mean, SD, n and interval over its setting's seeds.

All by the functions of the report; an interval stands alone here, so its level is the report's confidence, undivided.
"""

import math
from typing import TYPE_CHECKING

from cxrbench.evaluation.comparisons import Contrast, Rules, compare
from cxrbench.reporting import tables
from cxrbench.reporting.card_data import NOT_KNOWN
from cxrbench.reporting.text_tables import markdown_rows

if TYPE_CHECKING:
    from cxrbench.reporting.card import Subject

METRICS = ("accuracy", "precision", "recall", "specificity", "f1", "auc")
Intervals = dict[tuple[str, str], str]  # part and metric -> the interval of the seeds' mean, as text
ANY = (0.0, 1.0)  # no value of a metric lies outside: nothing is tested against it


def section(one: "Subject", rules: Rules, intervals: Intervals) -> str:
    """The section on results of a card's subject; ``intervals`` holds those that are known, and gets the others."""
    whose = "Mean of the networks" if one.alias == "best-mean" else "This network"
    heads = ["Metric", whose, "Mean ± SD of the seeds", "n", "Interval of the seeds' mean"]
    texts = [
        "## Results\n",
        f"{whose}: of its scores, at the threshold of 0.5 that the papers use. {tables.SPREAD} Intervals: patients are"
        f" resampled {rules.resamples:,} times, seeds enter by Student's t; each is a statement of its own.\n",
    ]
    for part, values in one.values.items():
        row = one.summary[part][one.chosen.label]
        images = f"{row.images[0]:,}"
        lines = []
        for metric in METRICS:
            stat = row.stats[metric]
            spread = f" ± {tables.number(metric, stat.sd)}" if math.isfinite(stat.sd) else ""
            mean = f"{tables.number(metric, stat.mean)}{spread}" if math.isfinite(stat.mean) else NOT_KNOWN
            own = tables.number(metric, values[metric]) if math.isfinite(values[metric]) else NOT_KNOWN
            if (part, metric) not in intervals:
                intervals[part, metric] = _interval(one, metric, part, rules)
            n = str(len(stat.values))
            lines.append([tables.TITLES[metric], own, mean, n, intervals[part, metric]])
        texts.append(f"### {part.capitalize()}, {images} images\n\n{markdown_rows(heads, lines, range(1, 5))}")
        if row.degenerate:
            texts.append(f"{row.degenerate} of the runs call one class only.\n")
    if "test" not in one.values:
        texts.append(f"### Test\n\nWhat it reaches on test is {NOT_KNOWN}: its images have no test part.\n")
    return "\n".join(texts)


def _interval(one: "Subject", metric: str, part: str, rules: Rules) -> str:
    (found,) = compare(one.study_runs, [Contrast(metric, part, one.chosen.label, None, ANY)], rules)
    return tables.interval(found) if math.isfinite(found.low) and math.isfinite(found.high) else NOT_KNOWN
