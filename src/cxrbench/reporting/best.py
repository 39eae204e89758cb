"""What the report says of the best on test: how often the winner would win again, which settings may be the best."""

import math
from collections.abc import Mapping, Sequence

import pandas as pd

from cxrbench.base.language import _
from cxrbench.evaluation.best_group import Beats, BestGroup
from cxrbench.reporting.tables import between, level

FEW = 3  # settings that a sentence names though fewer are left


def column(found: Sequence[BestGroup]) -> dict[str, tuple[str, str]]:
    """Setting -> P(a new run of its split's winner beats one of it) and its interval; a dash where it can't be said."""
    return {setting: _cell(one) for best in found for setting, one in best.beaten.items()}


def sentence(best: BestGroup | None) -> str:
    """Which settings are not distinguishable from the best; empty where there is one setting or no winner."""
    if best is None or not best.beaten:
        return ""
    if not best.group:
        return _("Which settings may be the best on test can't be said: fewer than two have numbers.")
    compared = 1 + len(best.beaten) - len(best.unknown)
    worse = [setting for setting in (best.winner, *best.beaten) if setting not in (*best.group, *best.unknown)]
    told = {
        "settings": ", ".join(best.group),
        "worse": ", ".join(worse),
        "count": compared,
        "level": level(best.confidence),
    }
    if len(best.group) == compared:
        text = _("On test none of {count} settings is distinguishable from the best with {level} confidence.")
    elif len(best.group) == 1:
        text = _("On test {settings} is the best of {count} settings with {level} confidence.")
    elif len(best.group) > max(len(worse), FEW):
        text = _("On test no setting but {worse} is distinguishable from the best of {count} with {level} confidence.")
    else:
        text = _("On test {settings} are not distinguishable from the best with {level} confidence; the others are.")
    unsaid = _("It can't be said of {settings}.").format(settings=", ".join(best.unknown)) if best.unknown else ""
    return " ".join(filter(None, [text.format(**told), unsaid]))


def table(found: Mapping[str, Sequence[BestGroup]]) -> pd.DataFrame:
    """A row a study and setting: P(the winner beats it), its interval, and whether the setting may be the best."""
    rows = [
        (study, best.winner, setting, one.probability, one.low, one.high, _in_group(best, setting))
        for study, of_study in found.items()
        for best in of_study
        for setting, one in {best.winner: Beats(math.nan), **best.beaten}.items()
    ]
    columns = ["study", "winner", "setting", "p_winner_beats_it", "low", "high", "may_be_best"]
    return pd.DataFrame(rows, columns=columns)


def _in_group(best: BestGroup, setting: str) -> str:
    """yes, no, or empty where it can't be said."""
    if not best.group or setting in best.unknown:
        return ""
    return "yes" if setting in best.group else "no"


def _cell(one: Beats) -> tuple[str, str]:
    if not math.isfinite(one.probability):
        return "–", ""
    return f"{_percent(one.probability)} %", f"[{between(_percent(one.low), _percent(one.high))}]"


def _percent(share: float) -> str:
    """A probability that is not certain is never shown as 0 or 100."""
    return "< 1" if share < 0.005 else "> 99" if share > 0.995 else f"{100 * share:.0f}"
