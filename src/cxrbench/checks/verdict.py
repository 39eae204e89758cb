"""What follows from the outcomes: the JSON that later stages and people read, the lines that a person reads, and the
error that stops a pipeline."""

import dataclasses
import json
from pathlib import Path

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.files import write_text
from cxrbench.checks.outcome import Outcome, failures


def conclude(outcomes: list[Outcome], folder: Path) -> None:
    """Writes verdict.json into ``folder``, prints what failed, and raises CxrbenchError where that is critical.

    ``folder`` holds the pages in docs/.
    """
    write_text(folder / "verdict.json", to_json(outcomes))
    page = folder / "docs" / "index.html"
    print("\n".join(lines(outcomes, page)), flush=True)
    stop_if_critical(outcomes, page)


def to_json(outcomes: list[Outcome]) -> str:
    """The verdict as JSON; it holds no time, so the same data give the same text."""
    verdict = {
        "passed": not failures(outcomes, "critical"),
        "checks": len(outcomes),
        "critical_failures": len(failures(outcomes, "critical")),
        "warnings": len(failures(outcomes, "warning")),
        "outcomes": [dataclasses.asdict(outcome) for outcome in outcomes],
    }
    return json.dumps(verdict, indent=1, ensure_ascii=False) + "\n"


def lines(outcomes: list[Outcome], page: Path) -> list[str]:
    """Each failure with a few of its rows below it, and the counts at the end."""
    critical, warnings = failures(outcomes, "critical"), failures(outcomes, "warning")
    told = []
    for outcome in critical + warnings:
        told.append(f"{outcome.severity}: {outcome.sentence}")
        told += [f"    {example}" for example in outcome.examples]
        if outcome.examples and outcome.rows > len(outcome.examples):
            told.append(f"    and {outcome.rows - len(outcome.examples):,} more")
    tables = len({outcome.table for outcome in outcomes})
    counts = f"{len(critical)} critical failures, {len(warnings)} warnings"
    return [*told, f"{len(outcomes)} checks of {tables} tables: {counts}; see {page}"]


def stop_if_critical(outcomes: list[Outcome], page: Path) -> None:
    failed = failures(outcomes, "critical")
    if failed:
        more = len(failed) - 1
        others = f" and {more} more critical check{'s fail' if more > 1 else ' fails'}" if more else ""
        raise CxrbenchError(f"the check {failed[0]}{others}; see {page}, mend the data and run 'dvc repro'")
