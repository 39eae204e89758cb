"""The page's sentences about how it came to be: what was run, on which data, and by which rules."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from cxrbench.config.setting import SETTING_KEYS, Setting
from cxrbench.evaluation.comparisons import Rules


def cautions(profile: str, phantoms: list[str]) -> list[str]:
    """What a reader must know before the first figure; empty for real images under the profile 'paper'."""
    told = []
    if phantoms:
        told.append(
            f"These verdicts speak of the phantom, not of patients: the images of {' and '.join(phantoms)} are"
            " computed, no person was radiographed."
        )
    if profile != "paper":
        told.append(
            f"The profile '{profile}' trains smaller models on smaller images for fewer epochs than the papers did;"
            " what holds here need not hold there. The profile 'paper' comes closest."
        )
    return told


def rules_text(rules: Rules, workers: int) -> str:
    """How a verdict is reached."""
    points = f"{100 * rules.margin:g}"
    side_by_side = f" Times are of {workers} runs trained side by side." if workers > 1 else ""
    return (
        f"Margin: ±{points} points of a share, ±{rules.margin:g} of AUC, MSE and loss (nats), ±{points} % of a time."
        " A claim that one setting is better is supported where the whole interval lies beyond the margin on its side,"
        " contradicted where it lies beyond the margin on the other, else undecided. A claim that settings are equal,"
        " or reach a value, is supported where the interval lies inside the margin and contradicted where it lies"
        f" outside. Intervals hold together within a study at {100 * rules.confidence:g} % (Holm): patients, shared by"
        f" all settings, are resampled {rules.resamples:,} times; seeds enter by Student's t, for three are too few to"
        f" resample. Where a claim needs several comparisons, the one it hangs on is shown.{side_by_side}"
    )


def setup(shared: list[Setting]) -> str:
    """The choices that all settings of a study share, in one line."""
    told = []
    for name in SETTING_KEYS:
        values = {getattr(setting, name) for setting in shared}
        if len(values) == 1 and (value := values.pop()) is not None and value is not False:
            told.append(f"{name.replace('_', ' ')} {value}")
        elif name == "weights" and not values:
            told.append("random weights")
    return f"Held fixed: {', '.join(told)}."


def facts(
    profile: str, sources: Mapping[str, str], seeds: Sequence[int], records: Sequence[Mapping[str, Any]]
) -> list[tuple[str, str]]:
    """Name and value of what was run; ``records`` are the runs' run.json."""
    diverged = sum(record["status"] == "diverged" for record in records)
    seen = {f"{name} {record['environment'].get(name, '?')}" for record in records for name in ("keras", "backend")}
    machines = {str(record["environment"].get("processor") or "not named") for record in records}
    return [
        ("Profile", profile),
        ("Data", ", ".join(f"{name} ({source})" for name, source in sources.items())),
        ("Runs", f"{len(records)} distinct, seeds {', '.join(map(str, seeds))}; {diverged} diverged"),
        ("Trained with", f"{', '.join(sorted(seen))}; processor: {', '.join(sorted(machines))}"),
    ]


def shortcut_text(shortcuts: pd.DataFrame, used: set[tuple[str, str]]) -> str:
    """What the files alone betray on the test images of a study's (cohort, protocol) pairs; may be empty."""
    told = [
        f"protocol {protocol}: {', '.join(f'{row.feature} {row.auc:.3f}' for row in rows.itertuples())}"
        for (cohort, protocol), rows in shortcuts.groupby(["cohort", "protocol"], sort=False)
        if (cohort, protocol) in used
    ]
    return f"AUC on test that the files alone reach, no image looked at: {'; '.join(told)}." if told else ""
