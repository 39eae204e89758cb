"""The report's figures for programs: a dozen numbers in metrics.json to compare by eye, everything else in CSV tables.

`dvc metrics show`, `dvc exp show` and `dvc metrics diff` print a column or a row for each number of metrics.json.
"""

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import pandas as pd

from cxrbench.evaluation.protocol_effect import REFERENCE, Effect
from cxrbench.evaluation.same import AgainstItself
from cxrbench.evaluation.summaries import Summary, winner
from cxrbench.evaluation.verdicts import VERDICTS, Verdict
from cxrbench.reporting.own_figures import NO_FIGURES, OwnFigures, possible_word

DIGITS = 4  # of metrics.json; an accuracy of 500 images has steps of 0.002


def key_figures(verdicts: Sequence[Verdict], summaries: Mapping[str, Summary]) -> dict[str, float | None]:
    """metrics.json: claims by verdict, and for each study its winner's accuracy on test.

    The key of an accuracy ends with the part (``batch-size.test``), so a study may have any name. A study without
    test images gives its winner's accuracy on validation; null stands where every setting has a diverged run.
    """
    figures: dict[str, float | None] = {
        word.replace("not tested", "untested"): sum(one.verdict == word for one in verdicts) for word in VERDICTS
    }
    for study, summary in summaries.items():
        part = "test" if "test" in summary else "validation"
        best = winner(summary)
        accuracy = summary[part][best].stats["accuracy"].mean if best else math.nan
        figures[f"{study}.{part}"] = round(accuracy, DIGITS) if math.isfinite(accuracy) else None
    return figures


def means(summaries: Mapping[str, Summary]) -> pd.DataFrame:
    """A row a study, setting, part and metric: mean and sample SD over n seeds."""
    rows = [
        (study, setting, part, metric, stat.mean, stat.sd, len(stat.values))
        for study, summary in summaries.items()
        for part, settings in summary.items()
        for setting, row in settings.items()
        for metric, stat in row.stats.items()
    ]
    return pd.DataFrame(rows, columns=["study", "setting", "part", "metric", "mean", "sd", "n"])


def winners(summaries: Mapping[str, Summary]) -> pd.DataFrame:
    """A row a study: the winner on validation, and its mean accuracy there and on test."""
    rows = []
    for study, summary in summaries.items():
        best = winner(summary)
        accuracies = [
            summary[part][best].stats["accuracy"].mean if best and part in summary else math.nan
            for part in ("validation", "test")
        ]
        rows.append((study, best or "", *accuracies))
    return pd.DataFrame(rows, columns=["study", "winner", "validation_accuracy", "test_accuracy"])


def against_itself(found: Mapping[str, AgainstItself]) -> pd.DataFrame:
    """A row a study with settings that have seeds enough: the A/A test, as ``evaluation.same`` has it."""
    rows = [(study, one.settings, one.ways, one.different) for study, one in found.items() if one.ways]
    return pd.DataFrame(rows, columns=["study", "settings", "ways", "different"])


def claims(verdicts: Sequence[Verdict], own: Mapping[str, OwnFigures] = MappingProxyType({})) -> pd.DataFrame:
    """A row a claim: its verdict, the comparison that decided it, and why.

    ``difference`` and its interval are in the metric's own unit, those of two times in natural logarithms; they are
    positive where the first setting is the better one. ``figures`` says whether the paper's own can be true, and
    ``false_least`` to ``false_ours`` how likely the claim is false by them alone (see published/chance.py).
    """
    rows = []
    for one in verdicts:
        claim, decisive = one.claim, one.decisive
        numbers = (
            (decisive.contrast.a, decisive.contrast.b, decisive.value, decisive.low, decisive.high, decisive.confidence)
            if decisive
            else (None,) * 6
        )
        seeds = "" if math.isnan(one.seeds_needed) else f"{one.seeds_needed:.0f}"
        figures = own.get(claim.id, NO_FIGURES)
        paper = (possible_word(figures), figures.least, figures.most, figures.ours)
        told = (claim.study, claim.id, claim.metric, claim.part, one.verdict, one.runs, seeds)
        rows.append((*told, *numbers, one.reason, *paper))
    columns = ["study", "claim", "metric", "part", "verdict", "seeds", "seeds_needed", "setting", "rival"]
    numbers_of = ["difference", "low", "high", "confidence", "reason"]
    of_paper = ["figures", "false_least", "false_most", "false_ours"]
    return pd.DataFrame(rows, columns=[*columns, *numbers_of, *of_paper])


def protocol_changes(effects: Sequence[Effect]) -> pd.DataFrame:
    """A row a study, setting, protocol and metric: the mean on test less that under 'paper', and its interval."""
    rows = [
        (effect.study, one.setting, one.protocol, one.metric, one.reference, one.value, one.size,
         one.comparison.low, one.comparison.high, one.comparison.confidence,
         effect.winners.get(one.protocol), effect.winners.get(REFERENCE), effect.order[one.protocol])
        for effect in effects
        for one in effect.changes
    ]  # fmt: skip
    columns = ["study", "setting", "protocol", "metric", "mean_under_paper", "mean", "change", "low", "high"]
    return pd.DataFrame(rows, columns=[*columns, "confidence", "winner", "winner_under_paper", "kendall_tau"])
