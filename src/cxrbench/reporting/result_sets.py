"""The results of one experiment as two of them are compared: a folder that 'cxrbench pack' wrote, a workspace, or a
commit or DVC experiment, whose outputs DVC's cache holds.
"""

import dataclasses
import functools
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from ruamel.yaml import YAML, YAMLError

from cxrbench.base.errors import CxrbenchError
from cxrbench.base.tables import read_table
from cxrbench.base.workspace import workspace_root
from cxrbench.config.checked import check
from cxrbench.config.params import Report
from cxrbench.evaluation.comparisons import Rules, StudyRuns
from cxrbench.evaluation.runs import metric_table, read_grid, studies
from cxrbench.evaluation.study_settings import StudySettings, read_settings
from cxrbench.reporting import revision
from cxrbench.reporting.context import rules_of
from cxrbench.reporting.pack import INDEX, read_pack

PARAMS, TRAINED = "params.yaml", "data/train-grid"


@dataclasses.dataclass(frozen=True)
class ResultSet:
    """The runs of one experiment, and what they were asked with."""

    name: str  # as its reader names it
    params: Mapping[str, Any]  # the tree of params.yaml, which may be of an earlier version
    rules: Rules
    settings: StudySettings
    grid: pd.DataFrame  # the table 'grid'
    records: Mapping[str, tuple[Mapping[str, Any], pd.DataFrame]]  # run -> its record and its table 'scores'
    metrics: pd.DataFrame  # the table 'metrics'

    @functools.cached_property
    def runs(self) -> Mapping[str, StudyRuns]:
        """Study -> setting -> its runs."""
        return studies(self.metrics, self.records)

    def mean(self, study: str, setting: str, metric: str) -> float:
        """The mean on test over the runs of one setting; NaN where a run has no value."""
        table = self.metrics
        chosen = (table["study"] == study) & (table["setting"] == setting) & (table["part"] == "test")
        return float(table.loc[chosen, metric].mean(skipna=False))

    def records_of(self, study: str, setting: str) -> list[tuple[Mapping[str, Any], pd.DataFrame]]:
        """Record and scores of each run of one setting."""
        cells = self.grid[(self.grid["study"] == study) & (self.grid["setting"] == setting)]
        return [self.records[run] for run in cells["run"]]


def read(name: str) -> ResultSet:
    """The result set that ``name`` means: a folder, else a git revision or the name of a DVC experiment.

    Raises CxrbenchError with the file that is missing or damaged, or where there is nothing of that name.
    """
    folder = Path(name)
    if (folder / INDEX).exists():
        results, _, rules = read_pack(folder)
        params = _params(folder / PARAMS)
        return ResultSet(name, params, rules, results.settings, results.grid, results.runs, results.metrics)
    if folder.is_dir():
        if not (folder / PARAMS).is_file():
            raise CxrbenchError(f"{name} is no result set: it holds neither {INDEX}, as 'cxrbench pack' writes, nor"
                                f" {PARAMS}, as a workspace has")  # fmt: skip
        return _workspace(name, folder)
    if folder.exists():
        raise CxrbenchError(f"{name} is a file; name a folder that 'cxrbench pack' wrote, or a commit or experiment")
    with tempfile.TemporaryDirectory() as temporary:
        revision.put(name, [PARAMS, TRAINED], workspace_root(), Path(temporary))
        try:
            return _workspace(name, Path(temporary))
        except CxrbenchError as error:
            raise CxrbenchError(f"{name}: {str(error).replace(f'{temporary}/', '')}") from None


def _workspace(name: str, folder: Path) -> ResultSet:
    """The runs in ``folder`` as train-grid leaves them."""
    params = _params(folder / PARAMS)
    rules = rules_of(check(Report, params.get("report", {}), f"{folder / PARAMS}: report"))
    grid = read_table(folder / TRAINED / "grid.csv", "grid")
    settings = read_settings(folder / TRAINED / "settings.json")
    records = read_grid(grid, folder / TRAINED)
    return ResultSet(name, params, rules, settings, grid, records, metric_table(grid, records))


def _params(path: Path) -> Mapping[str, Any]:
    try:
        tree = YAML(typ="safe", pure=True).load(path)
    except (YAMLError, OSError, UnicodeDecodeError) as error:
        raise CxrbenchError(f"{path} cannot be read as YAML ({' '.join(str(error).split())})") from None
    if not isinstance(tree, dict):
        raise CxrbenchError(f"{path} holds no parameters; it must be a mapping of names to values")
    return tree
