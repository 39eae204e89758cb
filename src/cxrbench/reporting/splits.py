"""Splits that were drawn anew for each seed, on the page: which part of the spread is seeds and which is split."""

import math
from collections.abc import Sequence

import pandas as pd

from cxrbench.base.language import N_, _
from cxrbench.base.tables import PARTS
from cxrbench.evaluation.spread import Share, Spread
from cxrbench.evaluation.summaries import Stat
from cxrbench.reporting import tables
from cxrbench.reporting.text_tables import TextTable

TITLE = N_("Seeds and split")
NOTE = N_(
    "SD: sample standard deviation on test over n seeds. On the fixed split it is the spread of the seeds alone; where"
    " each seed has a split of its own, it is that of seeds and split together. Split’s share: the part of the second"
    " variance that the split makes, 1 less the ratio of the two, with its {percent} % interval (Fisher’s F, for normal"
    " values; the seeds’ part is taken to be the same on every split). Where a setting was not run on the fixed split"
    " too, its seeds and its split can’t be told apart; -S grid=redrawn runs both. The tables of images and shortcuts"
    " are of the fixed split."
)
RULE = N_(
    "Redrawn splits: where each seed has a split of its own (Bouthillier et al. 2021), settings are compared within"
    " each seed, whose split they share, and the spread of these differences over n seeds enters by Student's t with"
    " n − 1 degrees of freedom; it is never taken to be smaller than other test images alone would make it. The mean"
    " covariance of two seeds, patients resampled, is added for the images that all splits draw on. Such an interval"
    " speaks of networks trained on splits of these images; networks trained on other images are outside it, as they"
    " are on the fixed split. More seeds then bring more splits and more test images. Between a redrawn and a fixed"
    " split the variances of both add up, which errs to the wide side."
)
WIDE = 0.8  # an interval as wide, of what lies between 0 and 1, says nothing


def spread_table(found: Sequence[Spread], confidence: float) -> TextTable | None:
    """A row a study, redrawn setting and metric; None where no split was redrawn."""
    if not found:
        return None
    rows = [
        [
            "" if i and found[i - 1].study == one.study else one.study,
            one.setting,
            _(tables.TITLES[one.metric]),
            _spread(one.metric, one.fixed),
            _spread(one.metric, one.redrawn),
            _share(one.share),
            _says(one),
        ]
        for i, one in enumerate(found)
    ]
    heads = (
        _("Study"),
        _("Setting"),
        _("Metric"),
        _("Fixed split\nmean ± SD, n"),
        _("Redrawn splits\nmean ± SD, n"),
        _("Split’s share\nof the variance"),
        _("In words"),
    )
    return TextTable(_(TITLE), _(NOTE).format(percent=f"{100 * confidence:g}"), heads, rows, 3, text_after=6)


def leak_table(leaks: pd.DataFrame) -> TextTable | None:
    """Of the table 'redrawn_leaks' a row a cohort, protocol and kind: fewest and most groups over the seeds."""
    if leaks.empty:
        return None
    pairs = [(PARTS[0], PARTS[1]), (PARTS[0], PARTS[2]), (PARTS[1], PARTS[2])]
    rows = []
    for (cohort, protocol, kind), found in leaks.groupby(["cohort", "protocol", "kind"], sort=False):
        ends = found.groupby(["a", "b"])["groups"].agg(["min", "max"])
        cells = [_ends(*ends.loc[pair]) if pair in ends.index else "–" for pair in pairs]
        if set(cells) != {"–"}:
            rows.append([str(cohort), str(protocol), _(str(kind)), *cells])
    heads = (_("Cohort"), _("Protocol"), _("What is shared"), *(f"{_(a)}–{_(b)}" for a, b in pairs))
    note = _(
        "What two parts of a redrawn split share, in groups as above: the fewest and the most over the splits of"
        " {seeds} seeds. A protocol and kind that is not listed shares nothing under any seed."
    ).format(seeds=leaks["seed"].nunique())
    return TextTable(_("Leaks between parts of redrawn splits"), note, heads, rows, 3)


def _spread(metric: str, stat: Stat | None) -> str:
    if stat is None or not math.isfinite(stat.mean):
        return "–"
    spread = f" ± {tables.number(metric, stat.sd)}" if math.isfinite(stat.sd) else ""
    return f"{tables.number(metric, stat.mean)}{spread}\nn = {len(stat.values)}"


def _share(share: Share) -> str:
    if math.isnan(share.value):
        return "–"
    return f"{100 * share.value:.0f} %\n[{100 * share.low:.0f}, {100 * share.high:.0f}]"


def _says(one: Spread) -> str:
    """What the share says, or why there is none."""
    if one.fixed is None:
        return _("can’t be told apart")
    if math.isnan(one.share.value):
        return _("no spread to go by")
    if one.share.high - one.share.low >= WIDE:
        return _("too few seeds to say")
    if one.share.low > 0.5:
        return _("mostly the split")
    if one.share.high < 0.5:
        return _("mostly the seeds")
    return _("seeds and split") if one.share.low > 0 else _("maybe the seeds alone")


def _ends(least: int, most: int) -> str:
    if not most:
        return "–"
    return f"{least:,}" if least == most else tables.between(f"{least:,}", f"{most:,}")
