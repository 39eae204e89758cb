"""What MLflow lost is there again from the run store alone, and what it has is not logged twice."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from cxrbench import cli
from cxrbench.base.tables import write_table
from cxrbench.config.setting import Setting
from cxrbench.runs import average
from tests.tracking.small_grid import NAMES, Grid, bytes_of_all, content, forget_stores, images

ROOT = Path(__file__).parents[2]


def uri(workspace: Path) -> str:
    return f"sqlite:///{workspace / 'mlruns' / 'mlflow.db'}"


def lose_database(workspace: Path) -> None:
    (workspace / "mlruns" / "mlflow.db").unlink()
    forget_stores()


@pytest.fixture
def grid(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Grid:
    """A grid that was trained and tracked."""
    monkeypatch.setenv("DVC_EXP_NAME", "brisk-lion")
    grid = Grid(workspace, set(), monkeypatch)
    grid.train()
    grid.finish()
    monkeypatch.delenv("DVC_EXP_NAME")
    return grid


@pytest.mark.parametrize("lost", ["the database", "database and artifacts"])
def test_a_lost_store_is_made_anew_with_the_same_content(grid: Grid, workspace: Path, lost: str) -> None:
    before = content(uri(workspace))
    assert before["runs"].keys() == NAMES
    assert before["runs"]["lr=0.1 · seed 0"]["tags"]["dvc.experiments"] == "brisk-lion"
    assert before["aliases"]["best"]["chosen.experiment"] == "brisk-lion"
    lose_database(workspace)
    if lost != "the database":
        shutil.rmtree(workspace / "mlruns")
    outcome = grid.log_missing()
    assert (outcome.new, outcome.known, outcome.untrained) == (4, 0, 0)
    assert content(uri(workspace)) == before


def test_logging_what_is_missing_twice_changes_nothing(grid: Grid, workspace: Path) -> None:
    before = content(uri(workspace))
    outcome = grid.log_missing()
    assert (outcome.new, outcome.known) == (0, 4)
    assert content(uri(workspace)) == before


def test_a_revision_that_came_after_training_is_not_taken_for_the_one_that_trained(
    grid: Grid, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = content(uri(workspace))
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    for arguments in (["init"], ["add", "dvc.yaml"], ["commit", "-m", "later"]):
        subprocess.run(["git", *who, *arguments], check=True, capture_output=True)
    monkeypatch.setattr("cxrbench.tracking.logged.fingerprint", lambda *_: "another version's")
    lose_database(workspace)
    grid.log_missing()
    assert content(uri(workspace)) == before


def test_another_store_gets_the_same_with_its_artifacts_beside_it(grid: Grid, workspace: Path) -> None:
    before = content(uri(workspace))
    grid.log_missing("sqlite:///copy/mlflow.db")
    assert content(f"sqlite:///{workspace / 'copy' / 'mlflow.db'}") == before
    assert list((workspace / "copy" / "artifacts").rglob("curves.png"))
    assert content(uri(workspace)) == before


def test_a_moved_workspace_gets_its_artifacts_back(
    grid: Grid, workspace: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow import MlflowClient

    before = content(uri(workspace))
    moved = tmp_path_factory.mktemp("moved") / "workspace"
    workspace.rename(moved)
    monkeypatch.chdir(moved)
    grid.store.folder = moved / "runs"
    assert grid.log_missing().new == 4
    assert content(uri(moved)) == before
    client = MlflowClient(uri(moved), registry_uri=uri(moved))
    assert {one.name for one in client.search_experiments()} == {"Default", "rate", "rate (moved, 1)"}
    assert not workspace.exists()
    best = client.get_model_version_by_alias("cxrbench-rate", "best")
    assert best.source.startswith(moved.as_uri())
    assert grid.log_missing().new == 0


def test_a_run_that_is_not_in_the_store_is_counted_and_the_others_are_logged(grid: Grid, workspace: Path) -> None:
    lose_database(workspace)
    shutil.rmtree(grid.store.path(grid.table["run"][3]))
    outcome = grid.log_missing()
    assert (outcome.new, outcome.untrained) == (3, 1)
    assert content(uri(workspace))["runs"].keys() == {name for name in NAMES if "0.1" in name} | {
        "lr=0.1 · mean of seeds 0, 1", "lr=0.001", "lr=0.001 · seed 0"
    }  # fmt: skip


@pytest.mark.parametrize("known_by", ["data/train-grid", "params.yaml"])
def test_the_command_logs_the_present_grid_and_says_how_many_runs(
    grid: Grid, workspace: Path, known_by: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tree: dict[str, Any] = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    tree |= {key: value for key, value in Setting().model_dump().items() if key in tree}
    tree |= {"seeds": [0, 1], "studies": {"rate": {"vary": {"lr": [0.1, 0.001]}}}}
    (workspace / "params.yaml").write_text(yaml.safe_dump(tree))
    write_table("data/split/assignment.csv", images(), "assignment")
    if known_by == "data/train-grid":
        write_table("data/train-grid/grid.csv", grid.table, "grid")
    monkeypatch.setenv("CXRBENCH_STORE", str(grid.store.folder))
    monkeypatch.setattr(average, "write_all", bytes_of_all)
    database = f"sqlite:///{workspace / 'other.db'}"
    for expected in (f"4 runs logged to {database}, 0 were there\n", f"0 runs logged to {database}, 4 were there\n"):
        assert cli.main(["track", "--to", database]) == 0
        assert capsys.readouterr().out == expected


def test_the_command_says_in_one_sentence_what_it_could_not_log(
    grid: Grid, workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(ROOT / "params.yaml", "params.yaml")
    write_table("data/split/assignment.csv", images(), "assignment")
    write_table("data/train-grid/grid.csv", grid.table, "grid")
    monkeypatch.setenv("CXRBENCH_STORE", str(grid.store.folder))
    assert cli.main(["track", "--to", "nosuch://here"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: MLflow failed: the MLflow store nosuch://here can't be used")
    assert "not logged: rate, lr=0.1; rate, lr=0.001; 0 runs were logged" in line
