"""What follows from the outcomes: the JSON that later stages and people read, and the error that stops a pipeline."""

import dataclasses
import json

from cxrbench.checks.outcome import Outcome, failures
from cxrbench.errors import CxrbenchError


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


def stop_if_critical(outcomes: list[Outcome], docs: str) -> None:
    """Raises CxrbenchError where a critical check failed; ``docs`` is the page that shows all of them."""
    failed = failures(outcomes, "critical")
    if failed:
        more = len(failed) - 1
        others = f" and {more} more critical check{'s fail' if more > 1 else ' fails'}" if more else ""
        raise CxrbenchError(f"the check {failed[0]}{others}; see {docs}, mend the data and run 'dvc repro'")
