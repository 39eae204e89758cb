"""The report in MLflow: attached once, never where its pixels may not go, and never in the report's way."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cxrbench.base.errors import CxrbenchError
from cxrbench.evaluation.runs import metric_table, read_run
from cxrbench.evaluation.summaries import summarise
from cxrbench.reporting import exports
from cxrbench.stages import report
from cxrbench.tracking import report_log
from cxrbench.tracking.report_log import EXPERIMENT, PAGE, attach, attach_after_the_stage, attach_or_fail
from tests.tracking.small_grid import SEEDS, Grid
from tests.tracking.tracked_runs import client

FIGURES = {"supported": 1, "batch-size.test": 0.94, "a (b).test": 0.5, "x.test": None}


@pytest.fixture
def reports(workspace: Path) -> Path:
    """A folder with a report, in a workspace with an empty store."""
    folder = workspace / "reports"
    folder.mkdir()
    (folder / PAGE).write_text("<!doctype html><title>one</title>")
    (folder / "metrics.json").write_text(json.dumps(FIGURES))
    return folder


def runs(workspace: Path) -> list[Any]:
    found = client(workspace).get_experiment_by_name(EXPERIMENT)
    return list(client(workspace).search_runs([found.experiment_id])) if found else []


def test_a_report_is_a_finished_run_with_its_page_and_its_figures(workspace: Path, reports: Path) -> None:
    assert attach(reports, ()) == PAGE
    (run,) = runs(workspace)
    assert (run.info.status, run.info.run_name) == ("FINISHED", "report")
    assert run.data.metrics == {"supported": 1, "batch-size.test": 0.94, "a-b-.test": 0.5}
    (page,) = (workspace / "mlruns" / "artifacts").rglob(PAGE)
    assert page.read_bytes() == (reports / PAGE).read_bytes()


def test_the_same_page_is_one_run_whoever_attaches_it_and_another_page_another(
    workspace: Path, reports: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for experiment in ("brisk-lion", "calm-hare", "brisk-lion"):
        monkeypatch.setenv("DVC_EXP_NAME", experiment)
        attach(reports, ())
    (run,) = runs(workspace)
    assert run.info.run_name == "brisk-lion"
    assert run.data.tags["dvc.experiments"] == "brisk-lion calm-hare"
    (reports / PAGE).write_text("another")
    attach(reports, ())
    assert len(runs(workspace)) == 2


def test_a_run_whose_process_ended_while_it_logged_is_finished_later(
    workspace: Path, reports: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("mlflow.MlflowClient.log_batch", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            attach(reports, ())
    attach(reports, ())
    (run,) = runs(workspace)
    assert (run.info.status, len(run.data.metrics)) == ("FINISHED", 3)
    assert run.data.tags["report"] == PAGE


def test_a_restricted_cohorts_report_stays_here_until_it_is_allowed_elsewhere(
    workspace: Path, reports: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(report_log, "stay_here", lambda *_: False)
        assert attach(reports, {"mimic"}).startswith("withheld")
        assert not list((workspace / "mlruns" / "artifacts").rglob(PAGE))
        assert attach(reports, ()) == PAGE
    assert len(runs(workspace)) == 1


def test_a_restricted_cohorts_report_goes_into_a_store_of_this_machine(workspace: Path, reports: Path) -> None:
    assert attach(reports, {"mimic"}) == PAGE


def test_a_workspace_without_a_store_gets_none_by_a_report(workspace: Path, reports: Path) -> None:
    (workspace / "mlruns" / "mlflow.db").unlink()
    attach_after_the_stage(reports, ())
    assert not (workspace / "mlruns" / "mlflow.db").exists()


@pytest.mark.parametrize("fault", ["no store", "no answer"])
def test_mlflows_failure_is_one_sentence_and_the_report_is_there(
    workspace: Path, reports: Path, fault: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = reports / "made"
    monkeypatch.setattr(report, "read_results", lambda _: None)
    monkeypatch.setattr(report.papers, "load", lambda _: {})
    monkeypatch.setattr(report, "write_report", lambda *_: made.touch())
    monkeypatch.setattr(report, "write_cards", lambda *_: None)
    (workspace / "params.yaml").write_bytes((Path(__file__).parents[2] / "params.yaml").read_bytes())
    if fault == "no store":
        monkeypatch.setenv("MLFLOW_TRACKING_URI", "nosuch://me:secret@here")
    else:
        import threading

        monkeypatch.setattr(report_log, "attach", lambda *_: threading.Event().wait(30))
        monkeypatch.setattr(report_log, "PATIENCE_S", 0.1)
    report.main()
    assert made.exists()
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("the report is not attached. 'cxrbench track' attaches it")
    assert "secret" not in line
    assert ("nosuch://here" in line) == (fault == "no store")


def test_the_stage_attaches_what_it_made(workspace: Path, reports: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "read_results", lambda _: None)
    monkeypatch.setattr(report.papers, "load", lambda _: {})
    monkeypatch.setattr(report, "write_report", lambda folder, *_: (folder / PAGE).write_text("made now"))
    monkeypatch.setattr(report, "write_cards", lambda *_: None)
    (workspace / "params.yaml").write_bytes((Path(__file__).parents[2] / "params.yaml").read_bytes())
    report.main()
    (page,) = (workspace / "mlruns" / "artifacts").rglob(PAGE)
    assert page.read_text() == "made now"


def test_the_commands_failure_is_one_sentence(reports: Path) -> None:
    with pytest.raises(CxrbenchError, match=r"MLflow failed: .*nosuch://here.*report\.html is not attached"):
        attach_or_fail(reports, (), "nosuch://here")


def test_parent_runs_hold_the_means_of_the_reports_table(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grid = Grid(workspace, set(), monkeypatch)
    grid.train()
    grid.finish()
    metrics = metric_table(grid.table, {name: read_run(grid.store.path(name)) for name in grid.table["run"]})
    settings = list(grid.table["setting"].unique())
    table = exports.means({"rate": summarise(metrics, "rate", settings, SEEDS)})
    study = client(workspace).get_experiment_by_name("rate").experiment_id
    parents = client(workspace).search_runs([study], "tags.identity LIKE '%'")
    assert {run.info.run_name for run in parents} == set(table["setting"])
    held = {run.info.run_name: run.data.metrics for run in parents}
    compared = 0
    for row in table.itertuples():
        name = row.metric if row.metric.endswith("seconds") else f"{row.part}_{row.metric}"
        of_parent = held[row.setting]
        if pd.isna(
            row.mean
        ):  # a run without a value: the report shows a dash, MLflow says of how many runs its mean is
            assert of_parent.get(f"{name}_n", 0) < len(SEEDS), name
            continue
        assert of_parent[f"{name}_mean"] == pytest.approx(row.mean, abs=1e-12), name
        assert of_parent[f"{name}_sd"] == pytest.approx(row.sd, abs=1e-12), name
        assert of_parent[f"{name}_n"] == row.n
        compared += 1
    assert compared >= 2 * 2 * 6  # settings, parts, metrics
