"""What the report knows of the whole experiment besides its tables."""

import dataclasses
from collections.abc import Collection, Mapping

from cxrbench.config.params import Params, Report
from cxrbench.evaluation.comparisons import Rules


@dataclasses.dataclass(frozen=True)
class Context:
    """What params.yaml says of the whole experiment."""

    profile: str
    sources: Mapping[str, str]  # cohort -> where its images come from
    restricted: Collection[str]  # cohorts whose pixels the page must not hold
    language: str = "en"  # of the report
    command: str = "dvc repro"  # what made the runs
    commit: str = ""  # of the code that packed the results; empty where they are not packed, or it is not known
    changed: bool = False  # whether that code differed from it


def context_of(params: Params) -> Context:
    """The context of the experiment that params.yaml describes."""
    sources = {name: cohort.source for name, cohort in params.cohorts.items()}
    return Context(params.profile, sources, params.restricted, params.report.language)


def rules_of(report: Report) -> Rules:
    return Rules(report.confidence, report.margin, report.resamples, report.seed, report.metrics)
